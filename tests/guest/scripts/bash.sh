# What scripts of bash do; run here and on the host by the same bash (src/debian.rs).
set -u

echo "== functions, scopes, recursion"
factorial() { local n=$1; ((n < 2)) && { echo 1; return; }; echo $((n * $(factorial $((n - 1))))); }
factorial 6
outer() { local x=outer; inner; echo "$x"; }
inner() { x=changed; }
outer
declare -f inner

echo "== arrays"
list=(one "two words" three)
list+=(four)
printf '<%s>' "${list[@]}"; echo " ${#list[@]} ${list[@]:1:2} ${!list[*]}"
unset 'list[1]'
echo "${!list[@]}"
declare -A ages=([ann]=31 [bob]=27)
for name in ann bob; do echo "$name ${ages[$name]}"; done
mapfile -t lines < <(printf 'a\nb\nc\n')
echo "${#lines[@]} ${lines[-1]}"
read -ra words <<< "split these words"
echo "${words[2]}"

echo "== expansion"
path=/usr/lib/archive.tar.gz
echo "${path##*/} ${path%%.*} ${path/lib/share} ${path^^} ${#path} ${path:5:3} ${unset:-default}"
echo {a..e} {1..10..3} x{1,2}y
text='quote "this"'; echo "${text@Q}"
indirect=path; echo "${!indirect}"

echo "== here-documents and strings"
cat << END
substituted: $((6 * 7))
END
cat <<- 'END'
	taken as it is: $((6 * 7))
	END
cat <<< "a string"

echo "== process substitution and pipes"
diff <(printf '1\n2\n3\n') <(printf '1\n3\n') > difference; echo "differ: $?"
grep '^[<>-]' difference | head -n 3
printf 'b\na\n' | tee >(sort > sorted) > /dev/null
until [[ -s sorted ]]; do sleep 0.05; done; cat sorted
false | true; echo "${PIPESTATUS[*]}"
set -o pipefail; false | true; echo "$?"; set +o pipefail
coproc UPPER { while read -r line; do echo "${line^^}"; done; }
echo shout >&"${UPPER[1]}"; read -r heard <&"${UPPER[0]}"; echo "$heard"
kill "$UPPER_PID"; wait "$UPPER_PID" 2> /dev/null; echo "coproc: $?"

echo "== traps and signals"
(trap 'echo leaving' EXIT; echo inside)
(trap 'echo caught TERM; exit 7' TERM; kill -TERM $BASHPID; echo not here); echo "$?"
(trap '' INT; kill -INT $BASHPID; echo ignored)
trap 'echo "error at line $LINENO"' ERR; false; trap - ERR
(sleep 10 & kill $!; wait $!; echo "waited: $?") 2> /dev/null
(trap 'echo usr1' USR1; me=$BASHPID; (sleep 0.1; kill -USR1 $me) & wait; echo "interrupted: $?"; wait)

echo "== arithmetic"
echo $((2 ** 40)) $((0xff & ~0x0f)) $((36#zz > 0 ? 1 : 0))
(echo $((1 / (5 - 5)))) 2> /dev/null || echo "refused"
echo $((7 / 2)) $((-7 % 3)) $((1 << 62)) $((x = 5, x++ * 2)) "$x"
for ((i = 0, total = 0; i < 1000; i++)); do ((total += i)); done; echo "$total"
let "y = 3 * 4"; echo "$y"

echo "== conditions and patterns"
[[ "kamen 12.5" =~ ^([a-z]+)\ ([0-9]+)\.([0-9]+)$ ]] && echo "${BASH_REMATCH[@]:1}"
[[ abc == a* && ! abc == b* && abc < abd ]] && echo matches
shopt -s extglob nullglob
touch one.c two.c three.h
echo *.c !(*.c|sorted|difference) *.none
case file.tar in *.@(tar|zip)) echo archive ;;& f*) echo "and f" ;; *) echo no ;; esac
select_by() { local IFS=,; echo "$*"; }; select_by a b c

echo "== files and descriptors"
exec 3> out 4< <(echo from four)
echo to three >&3; exec 3>&-; cat out
read -r line <&4; echo "$line"; exec 4<&-
mkdir -p d/e; cd d/e || exit 1; pushd .. > /dev/null; popd > /dev/null; echo "${PWD##*/}"; cd ../..
[[ -d d && -f out && ! -e none && -w out && out -nt one.c || -s out ]] && echo tests
umask 027; : > masked; busybox stat -c %a masked
printf '%05d|%-6s|%x|%q|%(%Y)T\n' 42 left 255 "a b" 0
ulimit -n > /dev/null && echo limits

echo "== children"
for n in 1 2 3; do (exit $n) & pids[n]=$!; done
for n in 1 2 3; do wait "${pids[n]}"; echo "child $n: $?"; done
(exit 9) & wait -n; echo "wait -n: $?"
time_spent=$SECONDS; ((time_spent >= 0)) && echo time
bash -c 'echo "$0 $1 $#"' name argument
exec bash -c 'exit 42'
