#!/usr/bin/env bash
# The line from end to end: pictures in, the lake counted by itself, the report reconciled.
#   tests/e2e/line.sh ADDRESS [KEY]
# LINE says where lake and report are reached: run (this machine, the default), compose, cluster (KUBECONFIG's).
# PICTURES (default 40) are posted, WORKERS (4) at a time. Exit status 0 only when every answer is stored exactly once
# and the report is whole.
set -euo pipefail
address=${1:?usage: tests/e2e/line.sh ADDRESS [KEY]}; key=${2:-}
here=$(cd "$(dirname "$0")" && pwd); root=$here/../..
python=${PYTHON:-$root/.venv/bin/python}
compose=${COMPOSE:-docker-compose}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

in_line() { # run python's standard input where the lake is reached
  case ${LINE:-run} in
    run) "$python" - "$@" ;;
    compose) (cd "$root" && $compose exec -T hdfs_consumer python - "$@") ;;
    cluster) kubectl -n casting exec -i deployment/hdfs-consumer -- python - "$@" ;;
    *) echo "LINE is run, compose or cluster" >&2; exit 2 ;;
  esac
}

report() { # exit status as the report's own: 3 when the lake is not whole
  case ${LINE:-run} in
    run) "$(dirname "$python")/casting" report ;;
    compose) (cd "$root" && $compose exec -T report casting report) ;;
    cluster)
      local job; job=report-$(date +%s)
      kubectl -n casting create job "$job" --from cronjob/report >/dev/null
      kubectl -n casting wait --for=jsonpath='{.status.conditions[*].status}'=True --timeout=600s "job/$job" >/dev/null 2>&1 ||
        for _ in $(seq 300); do
          [ -n "$(kubectl -n casting get job "$job" -o jsonpath='{.status.completionTime}{.status.failed}')" ] && break
          sleep 2
        done
      kubectl -n casting logs "job/$job"
      [ -n "$(kubectl -n casting get job "$job" -o jsonpath='{.status.completionTime}')" ] ;;
  esac
}

echo "1. ready: $address"
for _ in $(seq 120); do curl -sf -m 3 "$address/health/ready" >"$work/ready" && break; sleep 1; done
cat "$work/ready"; echo

echo "2. post ${PICTURES:-40} drawn castings"
(cd "$root" && PYTHONPATH=$root "$python" "$here/post.py" "$address" "${PICTURES:-40}" "${WORKERS:-4}" "$key") >"$work/answered"
echo "   answered: $(wc -l <"$work/answered")"

echo "3. wait until the lake holds them, counted without this project's code"
for attempt in $(seq "${TRIES:-30}"); do
  in_line $(tr '\n' ' ' <"$work/answered") <"$here/count.py" >"$work/counted" 2>"$work/why" || true
  grep -q ' missing 0 ' "$work/counted" && break
  sleep 2
done
cat "$work/counted" || cat "$work/why"
grep -q ' missing 0 doubled 0 ' "$work/counted" || { tail -n 5 "$work/why"; echo "NOT WHOLE"; exit 1; }

echo "4. the report"
status=0; report || status=$?
[ "$status" = 0 ] || { echo "the report says: not whole ($status)"; exit 1; }
echo "WHOLE: $(wc -l <"$work/answered") answered, each stored once, the report reconciles"
