# Debian's static tools; run here and on the host (src/debian.rs).
dd if=/dev/zero of=image bs=1024 count=2048 2> /dev/null
mke2fs -F -L kamen image > /dev/null; echo "made: $?"
e2fsck -fp image; echo "checked: $?"
dd if=/dev/zero of=image bs=1024 seek=3 count=2 conv=notrunc 2> /dev/null
e2fsck -fy image > said 2>&1; echo "mended: $?"; grep -c . said > /dev/null && e2fsck -fn image | tail -n 1
sash -c 'echo from sash'; printf -- '-pwd\nsetenv A b\n-printenv A\nexit 7\n' | sash > /dev/null; echo "sash: $?"
