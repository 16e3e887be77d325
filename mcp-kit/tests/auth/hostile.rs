//! Random and broken texts: reading keys never panics, and what is said of them
//! never repeats them.

use mcp_kit::auth::ApiKeys;

use crate::log;
use crate::support::Folder;

/// What any text of an entry is marked with.
const MARK: &str = "zQx";

/// A small generator (SplitMix64), so that each run tries the same.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const SEPARATORS: &[&str] = &[
    ":", ":", ":", ",", ",", "+", " ", "\t", "\n", "\r\n", "#", " #", "=", "", "\u{feff}",
    "\u{2028}",
];

/// Every word holds the mark, except for those of the syntax.
const WORDS: &[&str] = &[
    "zQxalice",
    "zQx",
    "zQx\0",
    "zQx\"",
    "zQx\\",
    "zQxé",
    "zQx\u{202e}",
    "😀zQx",
    "zQx-key-01234567890",
    "sha256=zQx",
    "sha256=",
    "sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "expires=zQx",
    "expires=",
    "expires=2027-01-31",
    "expires=2027-02-31",
    "expires=2027-01-31TzQx",
    "expires=2027-01-3é",
    "sha256=é",
    "zQx/zQx",
    "anonymous",
    "local",
];

fn text(random: &mut Random) -> String {
    (0..random.below(24)).fold(String::new(), |mut text, _| {
        text.push_str(random.pick(WORDS));
        text.push_str(random.pick(SEPARATORS));
        text
    })
}

#[test]
fn no_text_makes_reading_panic_or_shows_in_what_is_said_of_it() {
    log::capture();
    let folder = Folder::new("hostile");
    let random = &mut Random(1);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..5_000 {
        let text = text(random);
        let mut bytes = text.clone().into_bytes();
        if random.below(4) == 0 && !bytes.is_empty() {
            // Cut or broken in the middle of a character.
            bytes.truncate(1 + random.below(bytes.len()));
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        let path = folder.private("keys", bytes);
        for outcome in [ApiKeys::from_list(&text), ApiKeys::from_file(path)] {
            match outcome {
                Ok(keys) => {
                    good += 1;
                    assert!(!format!("{keys:?}").contains(MARK));
                }
                Err(error) => {
                    bad += 1;
                    let shown = format!("{error} {error:?}");
                    assert!(
                        !shown.contains(MARK) && !shown.contains("ba7816bf"),
                        "{shown}"
                    );
                    assert!(!shown.contains('😀') && !shown.contains('é'), "{shown}");
                }
            }
        }
    }
    // Neither kind is a rare one, so both are tried.
    assert!(good > 500 && bad > 500, "{good} {bad}");
    assert_eq!(log::lines_with(MARK), Vec::<String>::new());
}
