# Debian's static Go programs; run here and on the host (src/debian.rs).
printf 'if true;then\necho "a"   |cat\nfi\nf( ){ x=$[1+2];}\n' > rough.sh
shfmt -i 4 rough.sh; echo "status $?"
shfmt -d rough.sh > difference; echo "status $?"; grep -c '^[+-]' difference
shfmt -w rough.sh && cat rough.sh
mkdir -p folder/deep; cp rough.sh folder/a.sh; printf 'if   true; then :;   fi\n' > folder/deep/b.sh
shfmt -f folder; shfmt -l folder; echo "status $?"
printf '# Title\n\n* one\n* **two**\n\n    code\n' > page.md
go-md2man -in page.md -out page.1 && cat page.1
echo '{"a": [1, {"b": null}]}' > data.json; gojq -c '.a[1]' data.json; gojq -r '.a | @csv' data.json; echo "status $?"
