// What was let fall on the page, files or whole folders, as files.

const NAMES = /\.(jpe?g|png|bmp|webp|tiff?)$/i;

// Some systems give no type for a name they don't know.
export const isPicture = (file) => file.type.startsWith("image/") || (!file.type && NAMES.test(file.name));

export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map(files))).flat().filter(isPicture);
}

async function files(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader gives at most 100 entries a call
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return (await Promise.all(found.map(files))).flat();
    found.push(...some);
  }
}
