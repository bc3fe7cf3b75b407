//! `/proc/cpuinfo`: what the processor says of itself (CPUID, Intel SDM 2A, 3.3).

use alloc::format;
use alloc::string::String;
use core::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};

/// Flags by Linux's names (asm/cpufeatures.h): leaf 1 EDX, from bit 0 on.
const LEAF_1_EDX: &str = "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat \
                          pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe";
/// Leaf 1 ECX.
const LEAF_1_ECX: &str = "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma \
                          cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe popcnt \
                          tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor";
/// Leaf 7 EBX.
const LEAF_7_EBX: &str = "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm \
                          - mpx rdt_a avx512f avx512dq rdseed adx smap avx512ifma - clflushopt \
                          clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl";
/// Leaf 0x80000001 EDX; what leaf 1 tells, too, is left out.
const EXTENDED_EDX: &str = "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - \
                            fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow";
/// Leaf 0x80000001 ECX.
const EXTENDED_ECX: &str = "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse \
                            3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - nodeid_msr - \
                            tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx";

/// The first leaf of those that AMD began.
const EXTENDED: u32 = 0x8000_0000;

/// Returns the text, for the one processor that programs see.
pub fn text() -> String {
    let first = __cpuid(0);
    let vendor = ascii(&[first.ebx, first.edx, first.ecx]);
    let one = __cpuid(1);
    let (family, model, stepping) = signature(one.eax);
    let sizes = extended(8).eax;
    format!(
        "processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n\
         model name\t: {}\nstepping\t: {stepping}\nphysical id\t: 0\nsiblings\t: 1\n\
         core id\t\t: 0\ncpu cores\t: 1\napicid\t\t: 0\nfpu\t\t: yes\nfpu_exception\t: yes\n\
         cpuid level\t: {}\nwp\t\t: yes\nflags\t\t: {}\nclflush size\t: {}\n\
         cache_alignment\t: {}\naddress sizes\t: {} bits physical, {} bits virtual\n\n",
        brand(),
        first.eax,
        flags(&one, first.eax),
        (one.ebx >> 8 & 0xff) * 8,
        (one.ebx >> 8 & 0xff) * 8,
        sizes & 0xff,
        sizes >> 8 & 0xff,
    )
}

/// Returns family, model and stepping of leaf 1 EAX.
fn signature(eax: u32) -> (u32, u32, u32) {
    let (family, model) = (eax >> 8 & 0xf, eax >> 4 & 0xf);
    let whole_family = if family == 0xf { family + (eax >> 20 & 0xff) } else { family };
    let whole_model = if family >= 6 { model | eax >> 12 & 0xf0 } else { model };
    (whole_family, whole_model, eax & 0xf)
}

fn extended(leaf: u32) -> CpuidResult {
    let none = CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    if __cpuid(EXTENDED).eax >= EXTENDED | leaf { __cpuid(EXTENDED | leaf) } else { none }
}

fn brand() -> String {
    let words = [2, 3, 4].map(extended).map(|one| [one.eax, one.ebx, one.ecx, one.edx]);
    String::from(ascii(words.as_flattened()).trim())
}

fn ascii(words: &[u32]) -> String {
    let bytes = words.iter().flat_map(|word| word.to_le_bytes());
    bytes.filter(|byte| (b' '..=b'~').contains(byte)).map(char::from).collect()
}

fn flags(one: &CpuidResult, leaves: u32) -> String {
    let seven = if leaves >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
    let more = extended(1);
    let sets = [
        (LEAF_1_EDX, one.edx),
        (EXTENDED_EDX, more.edx),
        (LEAF_1_ECX, one.ecx),
        (EXTENDED_ECX, more.ecx),
        (LEAF_7_EBX, seven),
    ];
    let mut names = alloc::vec::Vec::new();
    for (list, bits) in sets {
        let set = (0..).zip(list.split_whitespace()).filter(|(bit, _)| bits >> bit & 1 != 0);
        names.extend(set.map(|(_, name)| name).filter(|name| *name != "-"));
    }
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{EXTENDED_EDX, LEAF_1_ECX, LEAF_1_EDX, LEAF_7_EBX, signature, text};

    #[test]
    fn lists_have_a_name_for_each_bit() {
        for list in [LEAF_1_EDX, LEAF_1_ECX, LEAF_7_EBX, EXTENDED_EDX] {
            assert_eq!(list.split_whitespace().count(), 32, "{list}");
        }
    }

    #[test]
    fn this_processor_is_one_of_64_bits() {
        let text = text();
        assert!(text.contains(" lm") && text.contains(" sse2") && text.contains("fpu vme"));
    }

    #[test]
    fn extended_families_and_models_are_added() {
        assert_eq!(signature(0x0005_0657), (6, 0x55, 7));
        assert_eq!(signature(0x00a2_0f12), (25, 0x21, 2));
    }
}
