# Write numbered records, each synced before its acknowledgement on the serial console.
n=0
while [ $n -lt 100000 ]; do
    n=$((n + 1))
    echo "{\"event\": \"record\", \"value\": $n}"
    sync "$GUESTCERT_OUTPUT"
    echo "kept $n." >/dev/ttyS0
done
