# Programs that start another one, pass signals on and take in orphans; neither is process 1 here.
plain() { sed 's/([a-z]*[: (]*[0-9]*)*/()/g'; }
tini -s -- sh -c 'echo a program; exit 3'
echo $?
tini -s -e 3 -- sh -c 'exit 3'
echo $?
tini -s -- sh -c 'kill -TERM $$'
echo $?
tini -s -g -- sh -c 'trap "echo told; exit 4" TERM; kill -TERM $PPID; sleep 5 & wait'
echo $?
tini -s -- sh -c '(sh -c "sleep 0.1; echo an orphan" &); exit 6' | cat
tini -s -p SIGKILL -- true
echo $?
tini -s -- none 2>/dev/null
echo $?
tini --version | cut -d ' ' -f 1-3
catatonit -V
catatonit -- sh -c 'exit 5' 2>&1 | plain
catatonit 2>&1 | plain
