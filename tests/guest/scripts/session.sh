# Each applet that the system promises, once.
cd /tmp
mkdir -p work/a work/b && cd work
printf 'pear\napple\nfig\napple\n' > fruit
cat fruit | sort | uniq
head -n 1 fruit; tail -n 1 fruit; wc -l < fruit
tr a-z A-Z < fruit | grep P
sed 's/apple/quince/' fruit | awk '{ n[$1]++ } END { print n["quince"], NR }'
cp fruit a/copy && mv a/copy b/moved && ls a b
ln -s ../fruit b/link && cat b/link | md5sum
find . -name 'm*' | xargs ls
test -f b/moved && echo there
expr 6 \* 7
seq 3 | while read n; do echo "n$n"; done
date -d @0 -u +%Y
env -i A=1 env
false || echo no
true && echo yes
(exit 5); echo $?
sh -c 'kill -TERM $$'; echo $?
x=$(echo deep | cat); echo "$x"
sleep 0.1 & wait; echo waited
cat <<END
here $x
END
rm -r a b fruit; ls
ps | grep -c sh > /dev/null && echo ps
echo end
