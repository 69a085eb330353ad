# Print `tick` on the serial console five times a second, for half an hour.
n=0
while [ $n -lt 9000 ]; do
    n=$((n + 1))
    echo tick >/dev/ttyS0
    sleep 0.2
done
