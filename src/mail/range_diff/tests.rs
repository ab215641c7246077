use super::*;
use proptest::prelude::*;

fn patch(subject: &str, body: &str, diff: &str) -> (Commit, String) {
    let commit = Commit {
        author: "Ada Example <ada@example.com>".into(),
        subject: subject.into(),
        body: body.into(),
    };
    (commit, diff.into())
}

fn view((commit, diff): &(Commit, String)) -> Patch<'_> {
    Patch {
        commit: commit.clone(),
        diff,
    }
}

fn views(patches: &[(Commit, String)]) -> Vec<Patch<'_>> {
    patches.iter().map(view).collect()
}

fn of_file(name: &str, lines: std::ops::Range<u32>) -> String {
    let count = lines.len();
    let added: String = lines.map(|line| format!("+{name} {line}\n")).collect();
    format!(
        "diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{count} @@\n{added}"
    )
}

/// Compares, and returns what `git range-diff` writes between two places: `1!2`.
fn matrix(old: &[(Commit, String)], new: &[(Commit, String)]) -> String {
    let found = compare(&views(old), &views(new), &Limits::default());
    assert_eq!(found.bounds, []);
    let place = |at: Option<usize>| at.map_or("-".to_owned(), |at| (at + 1).to_string());
    let one = |pair: &Pair| {
        format!(
            "{}{}{}",
            place(pair.old),
            pair.verdict.sign(),
            place(pair.new)
        )
    };
    found.pairs.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn patches_are_paired_as_the_table_says() {
    let a = patch("a", "", &of_file("a", 0..20));
    let b = patch("b", "", &of_file("b", 0..20));
    let c = patch("c", "", &of_file("c", 0..20));
    let b2 = patch("b", "", &of_file("b", 0..18));
    let said = patch("b", "Why.\n", &of_file("b", 0..20));
    let other = patch("b", "", &of_file("x", 50..70));
    let empty = patch("pull", "", "");
    let all = |patches: &[&(Commit, String)]| -> Vec<(Commit, String)> {
        patches.iter().map(|patch| (*patch).clone()).collect()
    };
    for (old, new, expected) in [
        (all(&[]), all(&[]), ""),
        (all(&[&a, &b]), all(&[&a, &b]), "1=1 2=2"),
        (all(&[&a, &b]), all(&[&b, &a]), "2=1 1=2"),
        (all(&[&a, &b, &c]), all(&[&a, &b2, &c]), "1=1 2!2 3=3"),
        (all(&[&a, &b]), all(&[&a, &said]), "1=1 2!2"),
        (all(&[&a, &b, &c]), all(&[&a, &c]), "1=1 2<- 3=2"),
        (all(&[&a]), all(&[&b, &a]), "->1 1=2"),
        (all(&[&a, &b]), all(&[&a, &other]), "1=1 2<- ->2"),
        (all(&[&a, &empty]), all(&[&empty, &a]), "2=1 1=2"),
        (all(&[&a, &a]), all(&[&a]), "1=1 2<-"),
    ] {
        assert_eq!(matrix(&old, &new), expected);
    }
}

#[test]
fn a_pair_costs_as_much_as_the_manual_says() {
    // Ten lines stay and so many change: two thirds of the whole are no revision any more.
    let with = |from: u32, count: u32| {
        let stay: String = (0..4).map(|line| format!("+stay {line}\n")).collect();
        let rest: String = (from..from + count)
            .map(|line| format!("+{line}\n"))
            .collect();
        let head = "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n";
        patch(
            "x",
            "",
            &format!("{head}@@ -0,0 +1,{} @@\n{stay}{rest}", count + 4),
        )
    };
    for count in 1..20 {
        let (old, new) = (with(1000, count), with(2000, count));
        let apart = 2 * ((count + 6) * 60 / 100);
        let pair = 1 + 3 + 2 * count;
        let expected = if pair <= apart { "1!1" } else { "1<- ->1" };
        assert_eq!(matrix(&[old], &[new]), expected, "{count}");
    }
}

#[test]
fn text_reads_like_what_git_prints() {
    let old = [
        patch("net: fix", "Why.\n", &of_file("a", 0..5)),
        patch("gone", "", &of_file("z", 0..9)),
    ];
    let new = [patch("net: fix it", "Why.\n", &of_file("a", 0..4))];
    let found = compare(&views(&old), &views(&new), &Limits::default());
    let called = |list: &[(Commit, String)], first: usize| -> Vec<(String, String)> {
        let one = |(at, (commit, _)): (usize, &(Commit, String))| {
            ((first + at).to_string(), commit.subject.clone())
        };
        list.iter().enumerate().map(one).collect()
    };
    assert_eq!(
        told(&found, &called(&old, 7), &called(&new, 12)),
        "\
1:   7 ! 1:  12 net: fix
    @@ Metadata
     Author: Ada Example <ada@example.com>
     
      ## Commit message ##
    -    net: fix
    +    net: fix it
     
         Why.
     
    @@ a (new)
     +a 1
     +a 2
     +a 3
    -+a 4
2:   8 < -:  -- gone
"
    );
}

#[test]
fn what_is_too_much_is_left_out_and_said() {
    let limits = Limits {
        lines: 10,
        total: 1000,
        patches: 1,
        time: Duration::ZERO,
    };
    let old = [
        patch("a", "", &of_file("a", 0..50)),
        patch("b", "", &of_file("b", 0..50)),
    ];
    let new = [
        patch("b", "x\n", &of_file("y", 0..50)),
        patch("a", "", &of_file("x", 0..50)),
    ];
    let found = compare(&views(&old), &views(&new), &limits);
    assert_eq!(found.bounds, [Bound::Lines, Bound::Patches, Bound::Time]);
    let places: Vec<_> = found
        .pairs
        .iter()
        .map(|pair| (pair.old, pair.new))
        .collect();
    assert_eq!(places, [(Some(1), Some(0)), (Some(0), Some(1))]);
}

#[test]
fn hostile_patches_take_no_long_time() {
    // Few different lines, in ever other order: the worst for a diff.
    let noise = |seed: u64| -> String {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            state >> 60
        };
        let lines: String = (0..20_000).map(|_| format!("+{}\n", next())).collect();
        format!("--- /dev/null\n+++ b/x\n@@ -0,0 +1,20000 @@\n{lines}")
    };
    let side = |from: u64| -> Vec<(Commit, String)> {
        (from..from + 4)
            .map(|seed| patch("x", "", &noise(seed)))
            .collect()
    };
    let started = Instant::now();
    let found = compare(&views(&side(1)), &views(&side(100)), &Limits::default());
    assert_eq!(
        found.pairs.iter().filter(|pair| pair.new.is_some()).count(),
        4
    );
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

proptest! {
    #[test]
    fn every_patch_stands_in_one_pair(
        old in prop::collection::vec((".{0,20}", "([-+ @\\\\][a-c]?\n|@@ -1,2 \\+1,2 @@\n|diff --git a/x b/y\n|--- a/x\n\\+\\+\\+ b/x\n){0,30}"), 0..5),
        new in prop::collection::vec((".{0,20}", "([-+ @\\\\][a-c]?\n|@@ -1,2 \\+1,2 @@\n|diff --git a/x b/y\n|--- a/x\n\\+\\+\\+ b/x\n){0,30}"), 0..5),
    ) {
        let made = |list: Vec<(String, String)>| -> Vec<(Commit, String)> {
            list.iter().map(|(subject, diff)| patch(subject, subject, diff)).collect()
        };
        let (old, new) = (made(old), made(new));
        let found = compare(&views(&old), &views(&new), &Limits::default());
        let mut olds: Vec<_> = found.pairs.iter().filter_map(|pair| pair.old).collect();
        let mut news: Vec<_> = found.pairs.iter().filter_map(|pair| pair.new).collect();
        olds.sort_unstable();
        news.sort_unstable();
        prop_assert_eq!(olds, (0..old.len()).collect::<Vec<_>>());
        prop_assert_eq!(news, (0..new.len()).collect::<Vec<_>>());
        for pair in &found.pairs {
            let same = pair.verdict != Verdict::Changed;
            prop_assert_eq!(pair.lines.is_empty(), same);
        }
    }
}
