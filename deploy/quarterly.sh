#!/bin/sh
# A run for the quarter that ended last (UTC), or for the one that is named:
#
#   quarterly.sh TEMPLATE WORK_DIRECTORY [YYYY-qN]
#
# Writes WORK_DIRECTORY/exhibit.yaml from the template, lets `exhibit doctor` say what is missing, and runs.
# The status is that of `exhibit run`. Where EXHIBIT_GAPS_NOTE names a file, a pack with gaps (status 3) is noted there and gives 0.
set -eu

fail() {
  echo "quarterly.sh: $*" >&2
  exit 2
}

[ $# -ge 2 ] && [ $# -le 3 ] || fail 'usage: quarterly.sh TEMPLATE WORK_DIRECTORY [YYYY-qN]'
template=$1
work=$2
quarter=${3-}
exhibit=$(dirname "$0")/../bin/exhibit.mjs

if [ -z "$quarter" ]; then
  year=$(date -u +%Y)
  month=$(date -u +%m)
  n=$(((${month#0} - 1) / 3))
  [ "$n" -gt 0 ] || { n=4 year=$((year - 1)); }
  quarter=$year-q$n
fi
year=${quarter%-q?}
case $quarter in
  [0-9][0-9][0-9][0-9]-q1) from=$year-01-01 to=$year-03-31 ;;
  [0-9][0-9][0-9][0-9]-q2) from=$year-04-01 to=$year-06-30 ;;
  [0-9][0-9][0-9][0-9]-q3) from=$year-07-01 to=$year-09-30 ;;
  [0-9][0-9][0-9][0-9]-q4) from=$year-10-01 to=$year-12-31 ;;
  *) fail "$quarter is no quarter: 2026-q3, for example" ;;
esac

[ -r "$template" ] || fail "$template: no such file, or it may not be read"
# A fixed id or period would make the next quarter a further version of this one.
id=$(sed -nE 's/^[^#]*id:[[:space:]]*["'\'']?([A-Za-z0-9._-]*@QUARTER@[A-Za-z0-9._-]*).*/\1/p' "$template" | head -n 1)
[ -n "$id" ] || fail "$template: write @QUARTER@ into engagement.id"
for word in FROM TO; do
  grep -Eq "^[^#]*@$word@" "$template" || fail "$template: write \"@$word@\" into engagement.period"
done

# The former pack: the newest sealed version of this quarter, or of the last one before it that has any.
before=${id%@QUARTER@*} after=${id#*@QUARTER@} previous=
runs=$(cd "$work/out" 2>/dev/null && ls -d "$before"[0-9][0-9][0-9][0-9]-q[1-4]"$after".v* 2>/dev/null | sort -V) || runs=
for run in $runs; do
  of=${run#"$before"}
  of=${of%%"$after".v*}
  case ${run##*.v} in *[!0-9]*) continue ;; esac
  [ "${of%-q?}${of#*-q}" -le "$year${quarter#*-q}" ] || continue
  root=$work/out/$run/pack/tagmanifest-sha256.txt state=$work/out/$run/run.json
  [ -f "$root" ] || continue
  if [ -f "$state" ] && ! grep -q '"seal"' "$state"; then continue; fi
  previous=$(sha256sum <"$root" | cut -d ' ' -f 1)
done
# Without one the line goes, and nothing else that stands on it.
former="s/@PREVIOUS@/$previous/g"
[ -n "$previous" ] || former='/^[[:space:]]*previousPack:[[:space:]]*"@PREVIOUS@"/d'

mkdir -p "$work"
config=$work/exhibit.yaml
sed -e "$former" -e "s/@QUARTER@/$quarter/g;s/@FROM@/$from/g;s/@TO@/$to/g" "$template" >"$config.new"
if grep -En '^[^#]*@[A-Z]+@' "$config.new" >&2; then
  fail "$template: the words between @ are QUARTER, FROM, TO, and PREVIOUS on a line of its own: previousPack: \"@PREVIOUS@\""
fi
mv "$config.new" "$config"
echo "quarterly.sh: $quarter, $from to $to; former pack: ${previous:-none}"

# As the first process of a container a shell gets the signals; the run has to hear of them to stop cleanly.
child=
trap '[ -z "$child" ] || kill -TERM "$child" 2>/dev/null || :' TERM
follow() {
  status=0
  "$@" &
  child=$!
  wait "$child" || status=$?
  # A signal ends the first wait, not the child.
  while kill -0 "$child" 2>/dev/null; do
    status=0
    wait "$child" || status=$?
  done
  child=
}

follow node "$exhibit" doctor --config "$config" --quiet --no-color
case $status in
  0) ;;
  3) echo 'quarterly.sh: the run goes on: its pack will name the gaps that doctor found' ;;
  *) exit "$status" ;;
esac
follow node "$exhibit" run --config "$config" --resume --no-color
if [ "$status" = 3 ] && [ -n "${EXHIBIT_GAPS_NOTE-}" ]; then
  note="Exhibit made the pack of $quarter. Its evidence has gaps: the report names them (status 3)."
  echo "$note"
  echo "$note" >>"$EXHIBIT_GAPS_NOTE" && status=0
fi
exit "$status"
