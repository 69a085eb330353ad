# Keep every processor and the disk busy, for half an hour or until SIGTERM.
children=
for _ in $(seq "$(nproc)"); do
    (while :; do :; done) &
    children="$children $!"
done
(while :; do dd if=/dev/zero of=/var/tmp/guestcert-load bs=64k count=200 conv=fsync; done) 2>/dev/null &
children="$children $!"
sleep 1800 &
limit=$!
trap 'kill $children $limit; exit' TERM
wait $limit
kill $children
