# Names, links, times and lengths of files; what it prints on Linux is in files.out.
cd /tmp && mkdir files && cd files
echo one > a; ln a b; ln -s a c
touch -d @1000000 a; stat -c '%n %X %Y %h %s' a b
touch -a -d @2000000 b; stat -c '%n %X %Y' a
touch -m -d @3000000 c; stat -c '%n %X %Y' a
touch -h -d @4000000 c; stat -c '%n %X %Y' a c
touch -r a d; stat -c '%n %X %Y' d
mv -n a d; cat d; ls; mv a d; cat d b; ls
truncate -s 5 d; od -c d; fallocate -l 9 d; stat -c %s d; fallocate -o 20 -l 1 d; stat -c %s d
dd if=d of=e bs=1 skip=1 seek=2 count=3 2> /dev/null; od -c e
ls -i b d | awk '{print $1}' | uniq | wc -l
mkdir g; chmod 2755 g; mkdir g/h; stat -c '%a %A' g g/h
cat < d | head -c 2; (rm e; cat) < e | wc -c; ls e 2> /dev/null || echo gone
ln -s loop loop; cat loop/x 2> /dev/null || echo loop
readlink c; readlink -f c; cat c/ 2> /dev/null || echo not a directory
mknod p p; (echo through > p &); cat p; stat -c %F p
rm -r g; rmdir /tmp/files 2> /dev/null || echo not empty; cd / && rm -r /tmp/files && echo removed
