# Raise a number five times a second, for half an hour.
n=0
while [ $n -lt 9000 ]; do
    n=$((n + 1))
    echo "{\"event\": \"count\", \"value\": $n}"
    sleep 0.2
done
