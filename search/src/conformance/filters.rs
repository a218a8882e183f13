//! Filters, facets and price buckets.

use domain::Currency;
use domain::pricing::Tier;

use super::expected::Expected;
use super::{Subject, all_facets, everything, filter, filters, shop, text};
use crate::{AttributeFacets, FacetRequest, Facets, Filter, PriceFilter, Question, ValueCount};

pub(crate) async fn each_filter_alone(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for (name, chosen) in filters() {
        let question = filter(chosen);
        assert_eq!(subject.found(&question).await, expected.numbers(&question), "filter: {name}");
    }
    let all = subject.found(&everything()).await;
    assert_eq!(all, (1..=shop::PRODUCTS).collect::<Vec<_>>(), "what is for sale, and only that");
}

pub(crate) async fn each_filter_with_a_text(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for words in ["lantern", "durable", "camping durable outdoors"] {
        for (name, chosen) in filters() {
            let question = Question { filter: chosen, ..text(words) };
            let wanted = expected.numbers(&question);
            assert_eq!(subject.found(&question).await, wanted, "`{words}`, filter: {name}");
        }
    }
}

pub(crate) async fn values_that_look_like_syntax_are_values(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    let long = "long ".repeat(200);
    for hostile in [
        "",
        " ",
        "\"",
        "\\",
        "\\\"",
        "'",
        "' OR 1=1",
        r#"x" OR brand EXISTS OR brand = "x"#,
        r#"" OR "" = ""#,
        "Nordwind ",
        " Nordwind",
        "Nord",
        "NORDWIND",
        "*",
        "Nordwind\" OR kind = product OR brand=\"",
        "[]",
        "(",
        ")",
        "IN",
        "EXISTS",
        "NOT",
        "null",
        "\u{0}",
        "\n",
        "Nordwind\nOR id EXISTS",
        "\\u004eordwind",
        "~4eordwind",
        "%4eordwind",
        "ｎordwind",
        "🏕",
        long.as_str(),
    ] {
        let values = || [hostile.to_owned()].into();
        for chosen in [
            Filter { brands: values(), ..Filter::default() },
            Filter { tags: values(), ..Filter::default() },
            Filter {
                attributes: [(shop::COLOUR.to_owned(), values())].into(),
                ..Filter::default()
            },
            Filter {
                attributes: [(hostile.to_owned(), ["ivory".to_owned()].into())].into(),
                ..Filter::default()
            },
        ] {
            let question = Question { facets: all_facets(), ..filter(chosen) };
            let findings = subject.ask(&question).await;
            assert_eq!(findings.total, 0, "no product has this value: {:?}", question.filter);
            let facets = expected.facets(&question);
            assert_eq!(findings.facets, facets, "of: {:?}", question.filter);
        }
    }
    for tag in shop::TAGS {
        let chosen = Filter { tags: [(*tag).to_owned()].into(), ..Filter::default() };
        let found = subject.found(&filter(chosen.clone())).await;
        assert_eq!(found, expected.numbers(&filter(chosen)), "tag `{tag}`");
        assert!(!found.is_empty(), "tag `{tag}`");
    }
}

pub(crate) async fn prices_are_those_of_the_tier_and_the_time(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    let price = Some(PriceFilter { min_minor: Some(600), max_minor: Some(1_000) });
    let mut answers = Vec::new();
    // The second before the sales end, and the instant at which they have.
    for now in [shop::instant(0), shop::instant(86_399), shop::sale_end(), shop::instant(200_000)] {
        subject.at(now).await;
        for tier in [Tier::Retail, Tier::Wholesale] {
            for currency in [Currency::GBP, Currency::EUR, Currency::USD] {
                let question = Question {
                    tier,
                    currency: Some(currency),
                    now,
                    price_bounds: vec![600, 1_001],
                    ..filter(Filter { price, ..Filter::default() })
                };
                let found = subject.found(&question).await;
                assert_eq!(
                    found,
                    expected.numbers(&question),
                    "{} for {tier:?} at {now}",
                    currency.code()
                );
                let buckets = subject.ask(&question).await.buckets;
                assert_eq!(buckets, expected.buckets(&question));
                assert_eq!(buckets[1].count, found.len() as u64, "a bucket and a filter agree");
                answers.push((now, found));
            }
        }
    }
    assert_eq!(answers[0].1, answers[6].1, "until the end the sale holds");
    assert_ne!(answers[6].1, answers[12].1, "at the end it does not");
    assert_ne!(answers[0].1, answers[3].1, "tiers pay differently");
}

pub(crate) async fn facets_leave_out_their_own_choice(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for words in [None, Some("lantern"), Some("durable")] {
        for (name, chosen) in filters() {
            let question = Question {
                text: words.map(str::to_owned),
                facets: all_facets(),
                price_bounds: vec![800, 1_200, 2_000],
                ..filter(chosen)
            };
            let findings = subject.ask(&question).await;
            let facets = expected.facets(&question);
            assert_eq!(findings.facets, facets, "{words:?}, filter: {name}");
            assert_eq!(findings.buckets, expected.buckets(&question), "{words:?}, filter: {name}");
            assert_eq!(findings.total, expected.found(&question).len() as u64);
        }
    }
}

pub(crate) async fn facets_keep_to_the_most_frequent(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for values_max in [0, 1, 2] {
        let question =
            Question { facets: FacetRequest { values_max, ..all_facets() }, ..everything() };
        let facets = subject.ask(&question).await.facets;
        if values_max > 0 {
            assert_eq!(facets, expected.facets(&question), "at most {values_max} values");
        } else {
            assert!(facets.brand.is_empty() && facets.tags.is_empty());
            assert!(facets.attributes.values().all(Vec::is_empty));
            assert_eq!(facets.category, expected.facets(&question).category, "all categories");
        }
    }
}

pub(crate) async fn what_is_chosen_is_listed_in_any_case(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    let one_each = FacetRequest { values_max: 1, ..all_facets() };
    let most_frequent = subject.ask(&Question { facets: one_each.clone(), ..everything() }).await;
    let [ValueCount { value: first, .. }] = &most_frequent.facets.brand[..] else {
        panic!("one brand: {:?}", most_frequent.facets.brand)
    };
    let listed = |values: &[ValueCount]| {
        values.iter().map(|of| (of.value.clone(), of.count)).collect::<Vec<_>>()
    };
    let chosen = |value: &str| [value.to_owned()].into();
    // A rare one, and one that nobody has.
    for (brand, is_there) in [(shop::BRUTE_BRAND, true), ("Nobody & Sons", false)] {
        let filter = Filter { brands: chosen(brand), ..Filter::default() };
        let question = Question { facets: one_each.clone(), ..self::filter(filter) };
        let facets = subject.ask(&question).await.facets;
        assert_eq!(facets, expected.facets(&question), "{brand}");
        let [(before, _), (last, count)] = &listed(&facets.brand)[..] else {
            panic!("the most frequent, and {brand}: {:?}", facets.brand)
        };
        assert_eq!((before, last.as_str(), *count > 0), (first, brand, is_there));
    }
    // Together they leave nothing, and are there to be taken back.
    let filter = Filter {
        tags: chosen("no such tag"),
        attributes: [(shop::COLOUR.to_owned(), chosen("no such colour"))].into(),
        ..Filter::default()
    };
    for values_max in [0, 1, 100] {
        let facets = FacetRequest { values_max, ..all_facets() };
        let question = Question { facets, ..self::filter(filter.clone()) };
        let Facets { tags, attributes, .. } = subject.ask(&question).await.facets;
        assert_eq!(listed(&tags), [("no such tag".to_owned(), 0)], "at most {values_max}");
        let colours = listed(&attributes[shop::COLOUR]);
        assert_eq!(colours, [("no such colour".to_owned(), 0)], "at most {values_max}");
    }
    // What there is is also listed where it is no longer counted because of another choice.
    let filter = Filter {
        brands: chosen(first),
        attributes: [(shop::COLOUR.to_owned(), chosen("no such colour"))].into(),
        ..Filter::default()
    };
    let question = Question { facets: one_each, ..self::filter(filter) };
    let brands = subject.ask(&question).await.facets.brand;
    assert_eq!(listed(&brands), [(first.clone(), 0)]);
}

pub(crate) async fn only_facets_asked_for_are_counted(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    assert_eq!(subject.ask(&everything()).await.facets, Facets::default(), "nobody asked");
    let named = |name: &str| FacetRequest {
        attributes: AttributeFacets::Named([name.to_owned(), "no such".to_owned()].into()),
        values_max: 10,
        ..FacetRequest::default()
    };
    for facets in [
        FacetRequest { category: true, values_max: 10, ..FacetRequest::default() },
        FacetRequest { brand: true, values_max: 10, ..FacetRequest::default() },
        FacetRequest { tags: true, values_max: 10, ..FacetRequest::default() },
        named(shop::COLOUR),
        named(shop::SIZE),
    ] {
        let question = Question { facets, ..text("durable") };
        let found = subject.ask(&question).await.facets;
        assert_eq!(found, expected.facets(&question), "{:?}", question.facets);
    }
}

pub(crate) async fn buckets_cover_everything_once(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for bounds in
        [vec![], vec![1_200], vec![500, 1_200, 1_300, 2_700], vec![0, i64::from(u32::MAX)]]
    {
        let question = Question { price_bounds: bounds.clone(), limit: 0, ..everything() };
        let buckets = subject.ask(&question).await.buckets;
        assert_eq!(buckets, expected.buckets(&question), "bounds {bounds:?}");
        if !bounds.is_empty() {
            let priced = Filter { price: Some(PriceFilter::default()), ..Filter::default() };
            let priced = expected.found(&filter(priced)).len() as u64;
            let sum: u64 = buckets.iter().map(|bucket| bucket.count).sum();
            assert_eq!(sum, priced, "every product with a price is in one bucket");
        }
    }
}
