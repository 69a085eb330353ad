# Keep every processor and the disk busy, for half an hour or until SIGTERM.
children=
for _ in $(seq "$(nproc)"); do
    (while :; do :; done) &
    children="$children $!"
done
(while :; do dd if=/dev/zero of=/var/tmp/guestcert-load bs=64k count=200 conv=fsync; done) 2>/dev/null &
children="$children $!"
trap 'kill $children; exit' TERM
sleep 1800 &
wait $!
kill $children
