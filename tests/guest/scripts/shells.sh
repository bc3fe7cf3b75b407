# The same script in shells that are linked with other C libraries; run here and on the host.
cat > body.sh <<'END'
greet() { typeset who=$1; echo "hello $who"; return 3; }
greet "$1"; echo "status $?"
n=0; while [ $n -lt 300 ]; do n=$((n + 1)); done; echo $n
echo "$(echo nested $(echo deep))" | tr a-z A-Z
for word in a 'b c' d; do printf '<%s>' "$word"; done; echo
cat << here | sort -r
one
two $((1 + 1))
here
case $1 in *lib*) echo library ;; *) echo other ;; esac
(trap 'echo trapped; exit 4' TERM; kill -TERM $(exec sh -c 'echo $PPID'); echo not here); echo "after $?"
(exit 9) & wait $!; echo "waited $?"
ls no-such-file 2> /dev/null || echo failed
exec 5> five; echo text >&5; exec 5>&-; read -r line < five; echo "$line"
set -- x y z; shift; echo "$# $*"
echo *.sh; cd /; pwd
eval 'exit 5'
END
for library in musl klibc; do
    mksh-$library body.sh $library 2>&1; echo "mksh with $library: $?"
done
lksh body.sh lksh 2>&1; echo "lksh: $?"
