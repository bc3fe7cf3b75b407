# Debian's dar_static, a C++ program with threads; run here and on the host (src/debian.rs).
mkdir -p tree/deep/er; seq 1 5000 > tree/numbers; echo text > tree/deep/text; ln -s text tree/deep/link
chmod 640 tree/numbers
dar -Q -V 2> /dev/null | head -n 2
dar -Q -c whole -R tree -zgzip -q; echo "created: $?"
ls whole.1.dar
dar -Q -t whole -q; echo "tested: $?"
dar -Q -l whole -as 2> /dev/null | grep -o '[a-z/]*$' | sort
echo more >> tree/deep/text; rm tree/numbers
dar -Q -c changes -A whole -R tree -q; echo "differential: $?"
mkdir back; dar -Q -x whole -R back -q; dar -Q -x changes -R back -w -q; echo "restored: $?"
find back | sort; cat back/deep/text; readlink back/deep/link
dar -Q -x none -q > /dev/null 2>&1; echo "no archive: $?"
