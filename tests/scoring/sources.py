"""Sources made for a test, and all that is read of one."""

import io
import tarfile

from scoring import members as m


def got(place):
    """Every member by path: its bytes, or why there are none."""
    source = m.recognise(str(place))
    if source.kind == "stream":
        return {member.path: held if isinstance(held, bytes) else str(held) for member, held in m.streamed(source)}
    reader, found = m.Reader(source), {}
    for member in m.members(source):
        try:
            found[member.path] = reader.read(member)
        except m.Unreadable as error:
            found[member.path] = str(error)
    reader.close()
    return found


def tarred(path, mode="w", names=("a", "b", "c")):
    with tarfile.open(path, mode) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(name[:1].encode() * 700))
    return path
