use super::{corpus, judged, ours};

#[test]
fn every_chart_of_the_corpus_renders_as_the_real_helm_printed_it() {
    let Some(corpus) = corpus::find().expect("the corpus unpacks") else {
        println!("skipped: no corpus");
        return;
    };
    let cache = helm::Cache::default();
    let mut wrong = Vec::new();
    for chart in &corpus.charts {
        let setting = ours::Setting::golden();
        let ours = ours::render(&chart.place, &setting, ours::Chosen::Pinned, &cache);
        if let Some(difference) = judged(chart, ours).expect("goldens are YAML") {
            wrong.push(format!("{}: {difference}", chart.name));
        }
    }
    assert!(wrong.is_empty(), "{} charts differ:\n{}", wrong.len(), wrong.join("\n"));
}
