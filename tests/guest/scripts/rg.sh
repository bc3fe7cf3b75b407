# ripgrep searches a tree; run here and on the host by the same program (src/languages.rs).
for folder in src src/deep src/deep/er docs .hidden build; do
    mkdir -p tree/$folder
    for number in 1 2 3 4 5 6 7 8; do
        seq $number 7 2000 | sed "s/.*/let value_& = $number; \/\/ line &/" > tree/$folder/file$number.rs
    done
    echo "Needle in $folder, 針" > tree/$folder/needle.txt
done
printf 'build/\n*.log\n' > tree/.ignore
printf 'binary\0needle\n' > tree/src/blob
echo needle > tree/a.log
cd tree
rg -c 'value_1[0-9]{2}\b' --sort path | head -n 5
rg -i needle --sort path; echo "status $?"
rg -l 'line 19(9[0-9]|8\d)$' | sort | wc -l
rg -n -o 'value_(\d)00\b' --no-filename -r 'got $1' src/deep/er --sort path | head -n 3
rg --files -g '*.txt' -uu | sort
rg -U 'line 8\nlet value_15' --sort path -c
rg -F 'needle' -a src/blob | tr '\0' .
rg absent; echo "status $?"
rg '(' 2>&1 | tail -n 1; echo "status $?"
rg -j 4 --stats -q 'value' | grep -E '^[0-9]+ (matches|matched lines|files searched)'
seq 1 100000 | rg -c '9{3}'
rg --json needle docs -i | head -n 1
rg --passthru -N two <<END
one
two
END
