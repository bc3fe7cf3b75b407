# Debian's static Go programs in pipes; run here and on the host (src/debian.rs).
printf 'if true;then\necho "a"   |cat\nfi\n' | shfmt -i 4; echo "status $?"
echo 'if true; fi' | shfmt; echo "status $?"
echo '[3,1,{"a":[true,null,"é"]},2.5]' | gojq -c 'map(type), .[2].a[2], (.[0] + .[3])'
seq 1 2000 | gojq -s 'add, length, (map(. * .) | max)'
echo '{' | gojq . ; echo "status $?"
seq 1 5 | gojq -c '[., . % 2 == 0]' | sort -r
