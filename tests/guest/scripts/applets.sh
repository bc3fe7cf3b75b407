# Applets of busybox, each with the output of the same busybox on Linux: this script runs on both
# sides, in an empty folder (tests/guest/src/applets.rs). What systems may differ in (numbers of
# processes, times, memory, users) is asked for by what it must look like.
umask 022
export TZ=UTC0 HOME=/
unset TMPDIR
t() { echo "== $1"; }
says() { if "$@"; then echo yes; else echo no; fi; }
like() { grep -c "$@"; }

printf 'pear\napple\nfig\napple\n' > fruit
printf 'one\ttwo\tthree\nfour\tfive\tsix\n' > table
: > empty
seq 1 200 > numbers

# Files.
t ls; mkdir d; echo x > d/a; ln -s a d/l; chmod 640 d/a; ls -1 -F d; ls -l d/a | cut -c 1-10; ls missing
t mkdir; mkdir -p e/f/g; mkdir e; mkdir -m 700 h; stat -c %a h; says test -d e/f/g
t rmdir; rmdir e; rmdir -p e/f/g; says test -e e
t touch; touch -d '2001-02-03 04:05:06' old; stat -c %y old; touch -r old new; date -r new +%s; touch -c nothing; says test -e nothing
t cat; cat fruit - < table; cat -n fruit; cat -A table; cat d
t cp; cp -r d copy; ls copy | sort; cp -p old kept; stat -c %Y kept; cp fruit missing/x; cp -a d/l link2; readlink link2; cp d nodir
t mv; mv copy moved; mv moved/a moved/b; ls moved; mv fruit d; mv d/fruit .; mv -n fruit table; wc -l table
t rm; rm -r moved; rm missing; rm -f missing; rm d; says test -e moved
t ln; ln fruit hard; stat -c %h fruit; ln -sf fruit soft; ls -l soft | sed 's/.* soft/soft/'; ln fruit hard
t link; link fruit linked; says test fruit -ef linked; link fruit linked
t unlink; unlink linked; unlink linked
t readlink; readlink soft; readlink -f soft | sed 's#.*/##'; readlink fruit; echo $?
t realpath; realpath soft | sed 's#.*/##'; realpath no/such
t chmod; chmod u+x,g-r,o= fruit; stat -c %A fruit; chmod 644 fruit; stat -c %a fruit; chmod +t d; stat -c %a d
t chown; chown "$(id -u):$(id -g)" fruit; echo $?; chown nosuchuser fruit
t chgrp; chgrp "$(id -g)" fruit; echo $?; chgrp nosuchgroup fruit
t stat; stat -c '%n %F %f %h' fruit empty d soft; stat -c %s fruit soft; stat -L -c %F soft; stat missing
t test; says busybox test -s empty; says busybox test fruit -nt old; says busybox test -L soft; says busybox test -p fruit; says busybox test 3 -lt 12
t [; says busybox [ -x fruit ]; says [ abc = abc -a ! -z x ]
t [[; says busybox [[ abc == abc ]]; says [[ abc == a* ]]
t mkfifo; mkfifo pipe; stat -c %F pipe; (echo through > pipe &); cat pipe; mkfifo pipe
t mknod; mknod node p; stat -c %F node
t mktemp; mktemp -d tmp.XXXXXX | sed 's/\..*//'; says test -d tmp.*; mktemp -u -t x.XXXXXX | sed 's/[^/.]*$//'
t truncate; truncate -s 5 hole; od -c hole; truncate -s 1K hole; stat -c %s hole; truncate -s 0 hole; stat -c %s hole
t fallocate; fallocate -l 3000 room; stat -c %s room
t dd; dd if=numbers bs=10 count=2 skip=1 2> /dev/null; dd if=/dev/zero of=zero bs=4k count=3 2>&1 | head -n 2; printf ab | dd of=zero conv=notrunc bs=1 seek=4096 2> /dev/null; od -A d -c zero
t du; du -k zero; mkdir du; cp zero du/a; cp zero du/b; du -a du | cut -f 2 | sort
t df; df . | head -n 1; df -k . | tail -n 1 | awk '{ print (NF >= 5) }'
t sync; sync; echo $?
t shred; shred -n 1 -u zero; says test -e zero
t nuke; nuke du; says test -e du
t find; find d -type f -o -type l | sort; find . -maxdepth 1 -name 'f*' | sort; find d -name a -exec echo found {} \;; find d -perm 640 -size -1k; find . -newer nothing-here
t which; which sh | sed 's#.*/##'; which nosuch; echo $?
t basename; basename /usr/lib/x.so .so; basename /
t dirname; dirname /usr/lib/x.so; dirname x
t pwd; cd d; busybox pwd | sed 's#.*/##'; cd ..
t ls; mkdir chain; ln -s ../chain chain/again; says test -e chain/again/again/again; ln -s loop loop; cat loop

# Text.
t head; head -n 2 fruit; head -c 7 numbers; head -n -197 numbers; head missing
t tail; tail -n 2 fruit; tail -c 4 numbers; tail -n +199 numbers; tail -f /dev/null & { sleep 0.1; kill $!; wait $!; } 2> /dev/null; echo $?
t tac; tac fruit
t rev; rev fruit
t nl; nl fruit; nl -b a -s : fruit
t wc; wc fruit; wc -c < numbers; wc -L table; wc fruit table
t sort; sort fruit; sort -u fruit; sort -rn numbers | head -n 3; sort -k 2 table; printf '10 b\n9 a\n' | sort -k 1n
t uniq; sort fruit | uniq -c; sort fruit | uniq -d
t cut; cut -f 2 table; cut -c 2-3 fruit; cut -d p -f 1 fruit
t paste; paste fruit table; paste -s -d , fruit
t tr; tr a-z A-Z < fruit; tr -d p < fruit; tr -s p < fruit; tr -c 'a-z\n' . < table
t sed; sed -n '2,3p' fruit; sed 's/\(.\)p/\1-/g;1d' fruit; sed -i 's/fig/date/' fruit; sed '$a end' fruit; sed 's/date/fig/w written' fruit > /dev/null; cat written
t awk; awk -F '\t' '{ s += NF; print $2, length($0) } END { printf "%05.2f %d\n", s / 4, NR }' table; awk 'BEGIN { "echo sub" | getline x; print toupper(x), substr("hello", 2, 3), match("foobar", /o+/), int(7.9) }'
t grep; grep -n ap fruit; grep -v ap fruit; grep -c p fruit; grep -o 'p*' fruit; grep -r apple d; grep -q zzz fruit; echo $?; grep x missing
t egrep; egrep '^(pear|date)$' fruit
t fgrep; fgrep -x apple fruit
t diff; cp fruit other; echo more >> other; diff fruit other; diff -u fruit other | tail -n +3; diff -q fruit other; diff fruit fruit; echo $?
t patch; diff -u fruit other > change; cp fruit fixed; patch fixed < change; cmp fixed other; echo $?
t cmp; cmp fruit other; cmp -l fruit table 2> /dev/null | head -n 2
t ed; printf '1,2p\n2d\nw ed.out\nq\n' | ed fruit; cat ed.out
t fold; fold -w 7 table; seq -s ' ' 20 | fold -s -w 15
t expand; expand -t 4 table
t unexpand; expand table | unexpand -a | od -c | head -n 2
t tee; echo both | tee tee.a tee.b; cat tee.a tee.b; echo more | tee -a tee.a > /dev/null; wc -l tee.a
t strings; printf 'ab\001hello\002world1\n' | strings
t od; printf 'A\0\377' | od -t x1; head -c 20 numbers | od -A n -t d2
t hexdump; head -c 20 numbers | hexdump -C; head -c 6 numbers | hexdump
t xxd; head -c 20 numbers | xxd; printf hi | xxd -p
t xxd; head -c 5 numbers | xxd | xxd -r
t dos2unix; printf 'a\r\nb\r\n' > dos; dos2unix dos; od -c dos
t unix2dos; unix2dos dos; od -c dos
t more; more fruit < /dev/null
t less; less fruit < /dev/null
t ts; echo stamped | ts %d | like 'stamped$'
t shuf; seq 9 | shuf | sort -n | tr -d '\n'; echo; shuf -e -n 1 only; shuf -i 3-3
t factor; factor 360 97
t seq; seq 3; seq 2 2 6; seq -s , 1 3; seq -w 8 10
t expr; expr 6 \* 7; expr length hello; expr abc : 'a\(.\)'; expr 1 / 0; echo $?
t bc; echo 'scale=5; 22/7; 2^64; sqrt(2)' | bc
t dc; echo '2 3 + 4 * p' | dc
t printf; busybox printf '%s|%5d|%-5s|%x|%c|%%\n' a 42 b 255 xyz; printf '%b' 'a\tb\n'; printf '%.3f\n' 2.5; printf %d 12x; echo
t echo; busybox echo -n no; busybox echo -e '\tyes'; echo -e 'a\cb'; echo
t yes; yes y | head -n 2
t getopt; getopt -o ab: -l long,value: -- -a -b x --long rest
t ascii; ascii | head -n 3
t cal; cal 2 2001; cal -y 1999 | head -n 3
t date; date -d @0; date -u -d '2001-02-03 04:05' +%s; date -d @86399 +%H:%M:%S
t xargs; seq 5 | xargs -n 2 echo; printf 'a b\0c' | xargs -0 -n 1 echo; echo 7 | xargs -I N echo "(N)"; echo x | xargs false; echo $?
t run-parts; mkdir parts; printf '#!%s\necho part $0 | sed "s#[^ ]*/##"\n' "$(which sh)" > parts/10-a; chmod 755 parts/10-a; run-parts parts; run-parts --test parts
t clear; clear | od -c | head -n 2

# Archives and checksums.
t md5sum; md5sum fruit > sums; cat sums; md5sum -c sums
t sha1sum; sha1sum fruit
t sha256sum; sha256sum fruit
t sha512sum; sha512sum < fruit
t sha3sum; sha3sum -a 256 fruit
t crc32; crc32 fruit
t base64; base64 fruit; base64 fruit | base64 -d; echo '*' | base64 -d
t uuencode; uuencode fruit name > uu; cat uu
t uudecode; uudecode -o decoded uu; cmp decoded fruit; echo $?
t gzip; gzip -k fruit; gzip -c numbers | gzip -t; echo $?; stat -c %n fruit.gz; gzip fruit
t gunzip; gunzip -c fruit.gz; cp fruit.gz g.gz; gunzip g.gz; cat g; gunzip missing.gz
t zcat; zcat fruit.gz
t bzip2; bzip2 -k numbers; bzip2 -c fruit | bzip2 -t; echo $?
t bunzip2; bunzip2 -c numbers.bz2 | tail -n 1
t bzcat; bzcat numbers.bz2 | wc -l
t lzop; lzop -k numbers; lzop -d -c numbers.lzo | cmp - numbers; echo $?
t xz; base64 -d > x.xz <<END
/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAUY29tcHJlc3NlZCBlbHNld2hlcmUKAAAAADKYJNI2
Wc2MAAEtFS8LcW0ftvN9AQAAAAAEWVo=
END
xz -dc x.xz
t xzcat; xzcat x.xz
t unxz; cp x.xz y.xz; unxz y.xz; cat y
t lzma; echo XQAAgAD//////////wAxm8nz9ryOxc4dV7oirP7LdpW67if7Dotf/7A2AAA= | base64 -d > x.lzma; lzma -dc x.lzma
t lzcat; lzcat x.lzma
t unlzma; unlzma -c x.lzma
t uncompress; echo H52QY960gSOnzJw5ZciAKMNmTpk7aMrIKaMA | base64 -d > x.Z; uncompress -c x.Z
t unzip; base64 -d > x.zip <<END
UEsDBBQAAAAIAKMgQyr5BuNaGgAAAD8AAAAGAAAAemlwcGVkS87PLShKLS5OTVFIzSlOLc9ILUrl
SiZaEABQSwECFAMUAAAACACjIEMq+QbjWhoAAAA/AAAABgAAAAAAAAAAAAAApAEAAAAAemlwcGVk
UEsFBgAAAAABAAEANAAAAD4AAAAAAA==
END
unzip -l x.zip; unzip -q x.zip; cat zipped; stat -c %s zipped
t tar; tar -cf all.tar -C d .; tar -tf all.tar | sort; mkdir out; tar -xf all.tar -C out; ls out; readlink out/l; tar -czf all.tgz d numbers; tar -tzf all.tgz | sort
t cpio; echo d/a | cpio -o -H newc 2> /dev/null > one.cpio; cpio -t < one.cpio 2> /dev/null; mkdir un; cd un; cpio -i -d < ../one.cpio 2> /dev/null; cat d/a; cd ..
member() { printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' "$1" 0 0 0 100644 "$(stat -c %s "$1")"; cat "$1"; test $(($(stat -c %s "$1") % 2)) = 0 || echo; }
t ar; { echo '!<arch>'; member table; member fruit; } > lib.a; ar -t lib.a; ar -p lib.a table; ar -tv lib.a fruit | cut -c 1-30
t dpkg-deb; mkdir ctl; printf 'Package: tiny\nVersion: 1\n' > ctl/control; echo 2.0 > debian-binary; tar -czf control.tar.gz -C ctl ./control; tar -czf data.tar.gz ./d; { echo '!<arch>'; member debian-binary; member control.tar.gz; member data.tar.gz; } > tiny.deb; dpkg-deb -f tiny.deb; dpkg-deb -c tiny.deb | sed 's/.* //' | sort; dpkg-deb -x tiny.deb deb > /dev/null; cat deb/d/a
t mkdosfs; dd if=/dev/zero of=fat bs=1k count=1440 2> /dev/null; mkdosfs -n KAMEN fat 2>&1; dd if=fat bs=1 skip=71 count=11 2> /dev/null | tr -d '\0'; echo
t mke2fs; dd if=/dev/zero of=ext bs=1k count=256 2> /dev/null; mke2fs -F ext > /dev/null; dd if=ext bs=1 skip=1080 count=2 2> /dev/null | od -A n -t x2
t mkswap; dd if=/dev/zero of=swap bs=4k count=16 2> /dev/null; mkswap swap | head -n 1; tail -c +4087 swap | head -c 10; echo
t mkpasswd; mkpasswd -m sha256 -S abcdefgh secret; mkpasswd -m md5 -S abcdefgh secret
t httpd; httpd -d 'a%20b%26'; echo; httpd -e '<a>'; echo
t ipcalc; ipcalc -n -b -m 10.1.2.3/20

# Processes and the system.
t sh; sh -c 'echo $0 $#; exit 4' name a b; echo $?
t ash; ash -c 'f() { local x=in; echo $x; }; x=out; f; echo $x; set -- 1 2; shift; echo $1; case abc in a*) echo star;; esac; trap "echo bye" EXIT'
t env; env -i A=1 B=2 env | sort; env -u HOME sh -c 'echo ${HOME-unset}'
t true; busybox true; echo $?
t false; busybox false; echo $?
t sleep; sleep 0.01; echo $?; sleep x
t usleep; usleep 1000; echo $?
t time; time -f 'ran %C' true
t timeout; { timeout 0.1 sleep 5; } 2> /dev/null; echo $?; timeout 5 sh -c 'exit 7'; echo $?; { timeout -s KILL 0.1 sleep 5; } 2> /dev/null; echo $?
t kill; sleep 9 & { busybox kill -s TERM $!; wait $!; } 2> /dev/null; echo $?; kill -l 9; sleep 9 & { kill -STOP $!; kill -CONT $!; kill -9 $!; wait $!; } 2> /dev/null; echo $?; kill 4194304
t killall; printf '#!%s\nwhile :; do usleep 10000; done\n' "$(which sh)" > kamen-nap; chmod 755 kamen-nap; ./kamen-nap & usleep 100000; { killall kamen-nap; wait $!; } 2> /dev/null; echo $?; killall kamen-nap
t pidof; sleep 9 & usleep 100000; pidof sleep | tr ' ' '\n' | like "^$!\$"; { kill $!; wait $!; } 2> /dev/null; pidof no-such-program; echo $?
t ps; ps -o pid,ppid,pgid,sid,nice,user,group,vsz,rss,stat,tty | head -n 1 | tr -s ' '; ps -o pid,ppid,comm | awk -v me=$$ '$1 == me { print $3 } $2 == me && $3 == "ps" { print "child" }' | sort
t top; top -b -n 1 | head -n 1 | sed 's/[0-9]*K/N/g'; says test "$(top -b -n 1 | grep -c 'top -b -n 1$')" -ge 1
t uptime; uptime | like 'up .* load average: [0-9.]*, [0-9.]*, [0-9.]*$'
t free; free | head -n 1; free | awk '/^Mem/ { print ($2 > 1000), ($2 > $3) }'
t uname; uname -s -m -o; uname -r | like '^[0-9]*\.[0-9]'
t arch; arch
t linux32; linux32 uname -m
t linux64; linux64 uname -m
t hostname; says test "$(hostname)" = "$(uname -n)"; says test -n "$(hostname -s)"
t hostid; hostid | like '^[0-9a-f]\{8\}$'
t id; id -u root; id -gn root; says test "$(id -u)" = "$(id -u "$(id -un)")"; id no-such-user
t whoami; says test "$(whoami)" = "$(id -un)"
t groups; says test "$(groups)" = "$(id -Gn)"
t tty; tty < /dev/null; echo $?; tty -s < /dev/null; echo $?
t stty; stty size < /dev/null; echo $?
t nproc; nproc | like '^[1-9][0-9]*$'
t renice; sh -c 'renice -n 3 -p $$; cut -d " " -f 19 /proc/self/stat'
t ionice; ionice -c 2 -n 5 ionice; ionice -c 3 ionice
t taskset; taskset -p $$ | sed 's/pid [0-9]*/pid N/; s/: [0-9a-f]*$/: M/'; says test "$(taskset -p $$ | sed 's/.*: //')" = "$(taskset "$(taskset -p $$ | sed 's/.*: /0x/')" sh -c 'taskset -p $$' | sed 's/.*: //')"
t setsid; setsid sh -c 'test "$(cut -d " " -f 6 /proc/$$/stat)" = $$'; echo $?
t setpriv; setpriv --nnp grep NoNewPrivs /proc/self/status; setpriv --nnp true; echo $?
t start-stop-daemon; start-stop-daemon -S -q -b -m -p pid -x "$(which sleep)" -- 30; usleep 100000; says kill -0 "$(cat pid)"; start-stop-daemon -K -q -p pid; echo $?
t sysctl; sysctl -n kernel.ostype; sysctl kernel.no_such_thing; says test "$(sysctl -n kernel.osrelease)" = "$(uname -r)"
t chroot; chroot missing true; chroot
t busybox; busybox echo inside; busybox no-such-applet; busybox | like 'multi-call binary'
t dnsdomainname; dnsdomainname > /dev/null 2>&1; echo ended
t watch; { timeout 1 watch -t -n 9 echo watched > watched; } 2> /dev/null; like watched < watched
t mount; mount | like ' on / type '; umount /no-such-place
t sh; ( exec 3> flags; echo a >&3; exec 3>> flags; echo b >&3 ); cat flags; ( set -C; echo c > flags ); cat flags
t sh; ( ulimit -n 16; ulimit -n; ulimit -S -c 0; ulimit -c ); ( ulimit -f 1; yes > toobig ); echo $?; stat -c %s toobig
t sh; ( umask 077; umask; : > private; stat -c %a private )
t vi; printf ':1,2d\n:wq\n' > keys; cp fruit.gz v.gz; gunzip v.gz; vi v < keys > /dev/null 2>&1; cat v
t sh; cat <<-END | tr a-z A-Z
	tabs go $((6 * 7))
	END
t sh; (exit 5) | true; echo $?; sh -c 'kill -TERM $$'; echo $?; ! true; echo $?
t sh; ./missing; echo $?; ./table; echo $?; ./d; echo $?; chmod 755 empty; ./empty; echo $?; printf '#!/no/such/interpreter\n' > bad; chmod 755 bad; ./bad; echo $?; printf 'echo no magic\n' > plain; chmod 755 plain; ./plain
t sh; printf '#!%s -e -u \necho never\n' "$(which sh)" > words; chmod 755 words; ./words 2>&1 | sed 's/^[^:]*://'

# What programs read of /proc and /sys, with the applets that read it.
t cat; cat /proc/self/comm; cat /proc/nothing; cat /sys/devices/system/cpu/nosuch; cat /proc/self/fd/x
t readlink; readlink /proc/self/exe | sed 's#.*/##'; readlink /proc/self/cwd | sed 's#.*/##'; readlink /proc/mounts; readlink /proc/self | sed 's/[0-9][0-9]*/N/'; readlink /proc/thread-self | sed 's/[0-9][0-9]*/N/g'
t cut; cut -d ' ' -f 2 /proc/self/stat; awk '{ print NF }' /proc/self/stat /proc/self/statm /proc/loadavg /proc/uptime
t tr; tr '\0' ' ' < /proc/self/cmdline | cut -d ' ' -f 1; env -i A=1 B=two cat /proc/self/environ | tr '\0' ' '; echo
t head; head -n 1 /proc/self/limits; (ulimit -n 20; grep 'open files' /proc/self/limits | tr -s ' ' | cut -d ' ' -f 4); wc -l < /proc/self/limits
t grep; grep -E '^(Name|Umask|Threads|NoNewPrivs|TracerPid)' /proc/self/status; grep -c '^processor' /proc/cpuinfo | like '^[1-9]'; grep -c '^MemTotal: *[0-9]* kB$' /proc/meminfo; grep -c '^nodev.proc$' /proc/filesystems; grep -c '^btime [0-9]*$' /proc/stat
t ls; ls /proc/self/fd < /dev/null | grep '^[012]$'; ls -d /proc/$$/task/$$ | sed 's/[0-9][0-9]*/N/g'; ls -d /proc/self/ns/nosuch
t wc; wc -c < /proc/sys/kernel/random/uuid; cat /proc/sys/kernel/ostype; says test "$(cat /proc/sys/kernel/random/boot_id)" = "$(cat /proc/sys/kernel/random/boot_id)"; like '^[0-9]' /proc/sys/vm/overcommit_memory /proc/sys/fs/nr_open; cat /sys/devices/system/cpu/online | like '^0'
t tee; echo 7 | tee /proc/self/oom_score_adj; sh -c 'echo 9 > /proc/$$/oom_score_adj; cat /proc/$$/oom_score_adj'; sh -c 'echo renamed > /proc/$$/comm; cat /proc/$$/comm'; head -n 2 /proc/self/fdinfo/0 < /dev/null
t end
