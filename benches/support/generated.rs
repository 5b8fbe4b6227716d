//! A list as large as one may become, generated: names in families, as real ones come.
#![allow(dead_code, unreachable_pub, reason = "each bench uses its part")]
#![allow(clippy::indexing_slicing, reason = "a bench that cannot go on says so")]

use std::fmt::Write;

use clearlist::formats::list_csv::ListFiles;

/// The end user of every other entry.
pub const OWNER: &str = "91110108551385082Q";
/// The end user of the others.
pub const OTHER: &str = "91110108EXAMPLE11C";

const SPECIES: [(&str, &str); 10] = [
    ("重组人", "Recombinant human "),
    ("重组小鼠", "Recombinant mouse "),
    ("抗人", "Anti-human "),
    ("兔抗", "Rabbit anti-"),
    ("盐酸", "Hydrochloride of "),
    ("硫酸", "Sulfate of "),
    ("无水", "Anhydrous "),
    ("氘代", "Deuterated "),
    ("生物素化", "Biotinylated "),
    ("甲基化", "Methylated "),
];
const GROUPS: [(&str, &str); 20] = [
    ("", ""),
    ("甲基", "methyl"),
    ("乙基", "ethyl"),
    ("丙基", "propyl"),
    ("羟基", "hydroxy"),
    ("氨基", "amino"),
    ("硝基", "nitro"),
    ("氟代", "fluoro"),
    ("氯代", "chloro"),
    ("溴代", "bromo"),
    ("乙酰", "acetyl"),
    ("苯基", "phenyl"),
    ("苄基", "benzyl"),
    ("甲氧基", "methoxy"),
    ("脱氧", "deoxy"),
    ("二氢", "dihydro"),
    ("去甲", "nor"),
    ("异", "iso"),
    ("环", "cyclo"),
    ("硫代", "thio"),
];
const STEMS: [(&str, &str); 25] = [
    ("白介素", "interleukin"),
    ("干扰素", "interferon"),
    ("肿瘤坏死因子", "tumor necrosis factor"),
    ("四环素", "tetracycline"),
    ("红霉素", "erythromycin"),
    ("胰蛋白酶", "trypsin"),
    ("血清白蛋白", "serum albumin"),
    ("慢病毒载体", "lentiviral vector"),
    ("腺相关病毒", "adeno-associated virus"),
    ("透明质酸", "hyaluronic acid"),
    ("多柔比星", "doxorubicin"),
    ("葡聚糖", "dextran"),
    ("肝素", "heparin"),
    ("成纤维细胞生长因子", "fibroblast growth factor"),
    ("转化生长因子", "transforming growth factor"),
    ("核酸内切酶", "endonuclease"),
    ("寡核苷酸", "oligonucleotide"),
    ("磷脂酰胆碱", "phosphatidylcholine"),
    ("聚乙二醇", "polyethylene glycol"),
    ("环孢素", "cyclosporin"),
    ("单克隆抗体", "monoclonal antibody"),
    ("趋化因子", "chemokine"),
    ("激活素", "activin"),
    ("层粘连蛋白", "laminin"),
    ("谷氨酰胺", "glutamine"),
];

/// 10 prefixes, 20 groups, 25 stems and ten variants of each: names come in families, as real
/// ones do.
pub fn names(n: usize) -> (String, String) {
    let (species, stem) = (SPECIES[n % 10], STEMS[n / 10 % 25]);
    let (group, variant) = (GROUPS[n / 250 % 20], n / 5_000 + 1);
    (
        format!("{}{}{}{variant}", species.0, group.0, stem.0),
        format!("{}{}{} {variant}", species.1, group.1, stem.1),
    )
}

/// The code of a material.
pub fn code(n: usize) -> String {
    format!("29{:08}", 30_000_000 + n % 900 * 11)
}

/// A list of so many materials, each listed for two enterprises. `variant` changes one entry.
pub fn files(materials: usize, variant: usize) -> ListFiles {
    let schemes = "scheme,name_zh,name_en,authority,listing,customs_districts,waived_documents,remark_text,permitted_use,legal_basis\nbench,基准,Bench,none,rows,0100,supervision:Q,,research,none\n";
    let enterprises = format!(
        "uscc,name_zh,name_en,state,state_from,state_until,source_document\n{OWNER},示例甲,A,active,,,\n{OTHER},示例乙,B,active,,,\n"
    );
    let mut entries = String::from(
        "entry_id,scheme,batch,uscc,kind,name_zh,name_en,synonyms,cas,hs_code,specification,manufacturer,origin_country,quantity,unit,purpose,customs_districts,valid_from,valid_to,state,source_document\n",
    );
    for n in 0..materials {
        for (which, uscc) in [OWNER, OTHER].into_iter().enumerate() {
            let (zh, en) = names(n);
            let quantity = if n == variant % materials { 300 + variant } else { 200 };
            let _ = writeln!(
                entries,
                "B-{n:06}-{which},bench,第一批,{uscc},item,{zh},{en},,,{},,,,{quantity},g,研发,,2025-01-01,2027-12-31,active,generated",
                code(n)
            );
        }
    }
    ListFiles {
        schemes: schemes.into(),
        enterprises: enterprises.into_bytes(),
        entries: entries.into_bytes(),
    }
}
