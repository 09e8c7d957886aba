//! What the naming rules promise, by example and over many generated sets of columns.

use std::sync::Arc;

use super::*;

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn given(remembered: &BTreeMap<String, String>, columns: &[&str]) -> BTreeMap<String, String> {
    assign(remembered, columns, &none(), &[]).unwrap().into_iter().collect()
}

#[test]
fn a_name_that_is_safe_stays_as_it_is() {
    for name in ["id", "_id", "CamelCase", "a1", "_", "__x"] {
        assert_eq!(safe_name(name), name);
    }
}

#[test]
fn a_name_that_is_not_safe_is_made_so_by_the_stated_rules() {
    assert_eq!(safe_name("first name"), "first_name");
    assert_eq!(safe_name("größe"), "gr__e");
    assert_eq!(safe_name("1st"), "_1st");
    assert_eq!(safe_name("_table_x"), "__table_x");
    assert_eq!(safe_name("_PARTITIONTIME"), "__PARTITIONTIME");
    assert_eq!(safe_name("名前"), format!("column_{}", hash("名前", 8)));
    assert_eq!(safe_name(""), format!("column_{}", hash("", 8)));
    assert_eq!(safe_name(&"x".repeat(400)).len(), 300);
    assert_eq!(safe_name(&"1".repeat(400)).len(), 300);
}

#[test]
fn every_safe_name_passes_the_check_for_written_names() {
    for name in ["", "1", "名前", "_table_", "__root__", "a b", "\u{0}", "_CHANGE_TYPE", "é1", "-", "a/b~c"] {
        assert_eq!(check_name(&safe_name(name)), Ok(()), "{name:?}");
        assert_eq!(safe_name(&safe_name(name)), safe_name(name), "making {name:?} safe twice changes it");
    }
}

#[test]
fn a_table_is_called_like_its_stream() {
    assert_eq!(table_name("public.orders"), "public_orders");
    assert_eq!(table_name("column_a"), "column_a");
    assert!(table_name("表").starts_with("table_"));
}

#[test]
fn names_that_differ_in_case_or_lost_characters_are_told_apart() {
    let names = given(&none(), &["a b", "a-b", "a_b", "A_B"]);
    assert_eq!(names["A_B"], "A_B", "of two unchanged names the first in byte order");
    assert_eq!(names["a_b"], format!("a_b_{}", hash("a_b", 8)));
    assert_eq!(names["a b"], format!("a_b_{}", hash("a b", 8)));
    assert_eq!(names["a-b"], format!("a_b_{}", hash("a-b", 8)));
}

#[test]
fn a_remembered_name_outlives_a_better_claim() {
    let first = given(&none(), &["a b"]);
    assert_eq!(first["a b"], "a_b");
    let second = given(&first, &["a_b", "a b"]);
    assert_eq!(second["a b"], "a_b", "the first to have it keeps it");
    assert_eq!(second["a_b"], format!("a_b_{}", hash("a_b", 8)));
}

#[test]
fn the_name_of_a_column_that_is_gone_is_not_given_away() {
    let remembered = map(&[("a b", "a_b")]);
    assert_eq!(given(&remembered, &["a-b"])["a-b"], format!("a_b_{}", hash("a-b", 8)));
}

#[test]
fn a_user_may_continue_the_column_of_one_that_is_gone() {
    let names = assign(&map(&[("old", "old")]), &["new"], &map(&[("new", "old")]), &[]).unwrap();
    assert_eq!(names, [("new".to_owned(), "old".to_owned())]);
}

#[test]
fn a_users_name_comes_before_all_others() {
    let names = assign(&none(), &["a", "b"], &map(&[("b", "A")]), &[]).unwrap();
    assert_eq!(names[1].1, "A");
    assert_eq!(names[0].1, format!("a_{}", hash("a", 8)));
    let changed = assign(&map(&[("a", "a")]), &["a"], &map(&[("a", "z")]), &[]).unwrap();
    assert_eq!(changed[0].1, "z");
}

#[test]
fn a_users_name_that_cannot_be_is_refused_with_its_field() {
    let field = |renames: &[(&str, &str)]| {
        let error = assign(&map(&[("c", "c")]), &["a", "b", "c"], &map(renames), &["snapshot_date"]).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        (error.field.unwrap(), error.message)
    };
    assert_eq!(field(&[("a", "1x")]), ("rename.a".into(), "the name \"1x\" may not start with a digit".into()));
    assert_eq!(field(&[("a", "x y")]).0, "rename.a");
    assert_eq!(field(&[("a", "_partition")]).0, "rename.a");
    assert_eq!(field(&[("a", "")]).0, "rename.a");
    assert_eq!(field(&[("a", "x"), ("b", "X")]).0, "rename.b");
    assert_eq!(field(&[("a", "C")]).0, "rename.a");
    assert_eq!(field(&[("zz", "y")]).0, "rename.zz");
    let (name, message) = field(&[("a", "Snapshot_Date")]);
    assert_eq!(name, "rename.a");
    assert!(message.contains("the load itself"), "{message}");
}

#[test]
fn a_column_called_like_a_reserved_one_makes_way_or_says_what_to_do() {
    let names = assign(&none(), &["snapshot_date"], &none(), &["snapshot_date"]).unwrap();
    assert_eq!(names[0].1, format!("snapshot_date_{}", hash("snapshot_date", 8)));
    let error = assign(&names_of_snapshot(), &["snapshot_date"], &none(), &["snapshot_date"]).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("rename.snapshot_date"));
}

fn names_of_snapshot() -> BTreeMap<String, String> {
    map(&[("snapshot_date", "snapshot_date")])
}

#[test]
fn a_column_that_comes_twice_is_refused() {
    let error = assign(&none(), &["a", "a"], &none(), &[]).unwrap_err();
    assert_eq!((error.kind, error.actor), (Kind::Unsupported, Actor::Source));
}

#[test]
fn nested_fields_are_named_on_their_own_level() {
    let inner = Fields::from(vec![Field::new("x y", DataType::Int8, true), Field::new("x-y", DataType::Int8, true)]);
    let item = Field::new("item", DataType::Struct(inner), true);
    let fields = Fields::from(vec![
        Field::new("a/b", DataType::List(Arc::new(item)), true),
        Field::new("x y", DataType::Int8, true),
    ]);
    let names = assign_fields(&none(), &fields, &none(), &[]).unwrap();
    assert_eq!(names["a~1b"], "a_b");
    assert_eq!(names["x y"], "x_y");
    assert_eq!(names["a~1b/x y"], "x_y");
    assert_eq!(names["a~1b/x-y"], format!("x_y_{}", hash("x-y", 8)));
    assert_eq!(assign_fields(&names, &fields, &none(), &[]).unwrap(), names, "a second run changes nothing");
}

/// Numbers that look random and are the same in every run of the tests.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn name(&mut self) -> String {
        const PARTS: [&str; 14] =
            ["a", "A", "b", "_", " ", "-", "1", "é", "/", "~", "_table_", "", "ä", "snapshot_date"];
        (0..self.below(4)).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }

    fn names(&mut self) -> Vec<String> {
        let all: BTreeSet<String> = (0..self.below(30)).map(|_| self.name()).collect();
        self.shuffled(all.into_iter().collect())
    }

    fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        for i in (1..all.len()).rev() {
            all.swap(i, self.below(i + 1));
        }
        all
    }
}

#[test]
fn over_many_histories_names_are_valid_unique_and_never_change() {
    let mut random = Lcg(7);
    for _ in 0..300 {
        let mut remembered = none();
        let mut history = none();
        for _run in 0..6 {
            let columns = random.names();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let names = assign(&remembered, &columns, &none(), &["snapshot_date"]).unwrap();
            let shuffled = random.shuffled(columns.clone());
            let again: BTreeMap<_, _> =
                assign(&remembered, &shuffled, &none(), &["snapshot_date"]).unwrap().into_iter().collect();
            assert_eq!(names.iter().cloned().collect::<BTreeMap<_, _>>(), again, "the order of columns matters");
            let lower: BTreeSet<String> = names.iter().map(|(_, name)| name.to_ascii_lowercase()).collect();
            assert_eq!(lower.len(), names.len(), "two columns share a name: {names:?}");
            for (source, name) in names {
                assert_eq!(check_name(&name), Ok(()));
                assert_ne!(name, "snapshot_date");
                let first = history.entry(source.clone()).or_insert_with(|| name.clone());
                assert_eq!(*first, name, "the name of {source:?} changed");
                remembered.insert(source, name);
            }
            let ever: BTreeSet<String> = history.values().map(|name| name.to_ascii_lowercase()).collect();
            assert_eq!(ever.len(), history.len(), "a name was given to a second column: {history:?}");
        }
    }
}

#[test]
fn keys_of_paths_do_not_run_into_each_other() {
    let mut random = Lcg(11);
    let mut seen: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
    for _ in 0..5000 {
        let (outer, inner) = (random.name(), (random.below(2) == 0).then(|| random.name()));
        let key = match &inner {
            Some(inner) => path_key(Some(&path_key(None, &outer)), inner),
            None => path_key(None, &outer),
        };
        let before = seen.entry(key).or_insert_with(|| (outer.clone(), inner.clone()));
        assert_eq!(*before, (outer, inner));
    }
}

#[test]
fn why_a_column_is_called_so_is_told() {
    let renames = BTreeMap::from([("x".to_owned(), "y".to_owned())]);
    let assigned = assign(&BTreeMap::new(), &["id", "a b", "a_b", "x"], &renames, &[]).unwrap();
    let why: Vec<_> = assigned.iter().map(|(source, name)| Reason::of(source, name, &renames).as_str()).collect();
    assert_eq!(why, ["kept", "taken", "kept", "chosen"]);
    assert_eq!(Reason::of("a b", "a_b", &renames), Reason::MadeSafe);
}
