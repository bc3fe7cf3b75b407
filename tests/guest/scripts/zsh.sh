# What scripts of zsh do; run here and on the host by the same zsh (src/debian.rs).
print "== arrays and flags"
typeset -a list; list=(delta alpha charlie bravo)
print -l ${(o)list}
print ${(j:-:)list} ${list[2,3]} ${#list} ${(U)list[1]} ${list[-1]}
typeset -A of; of=(one 1 two 2); print ${(kvo)of}
joined=a:b:c; print ${(s.:.)joined}
print ${list:#*a}

print "== globs"
mkdir -p tree/a tree/b; : > tree/a/x.c; : > tree/b/y.c; : > tree/z.h; ln -s z.h tree/link
print tree/**/*.c
print tree/*(/) tree/*(.) tree/*(@)
setopt extended_glob; print tree/^*.h

print "== functions and arithmetic"
function twice { print $(( $1 * 2 )) }
twice 21; print $(( 7.0 / 2 )) $(( 2 ** 10 ))
float f=1.5; integer i=3; print $(( f * i ))
repeat 3 print -n again; print
zmodload zsh/mathfunc 2> /dev/null && print $(( int(sqrt(144)) ))

print "== redirections"
print both > one > two; cat one two
cat =(print from a file) <(print from a pipe)
print -u2 to standard error
{ print try; false } always { print always }
print status $?

print "== pipes, children, traps"
print -l c a b | sort | read first; print $first
zsh -c 'TRAPTERM() { print term; exit 5 }; kill -TERM $$; print not here'; print $?
(sleep 10 & kill $!; wait $!; print waited $?) 2> /dev/null
() { trap 'print left' EXIT; print in }
coproc cat; print -p through; read -p line; print $line; kill %1 2> /dev/null
for n in {1..3}; do (exit $n) & wait $!; print child $?; done
case abc in (a*) print yes ;; esac
[[ abc == (#b)a(*) ]] && print $match[1]
exit 6
