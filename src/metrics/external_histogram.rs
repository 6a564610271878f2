//! A Prometheus histogram whose buckets another module keeps; shows them as last set.

use super::series::Series;
use prometheus::Registry;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, Histogram, Metric, MetricFamily, MetricType};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Clones share the same buckets.
#[derive(Clone, Debug)]
pub(super) struct ExternalHistogram {
    series: Series,
    desc: Desc,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// (upper bound in seconds, count), not cumulative; the last bound is infinite.
    buckets: Vec<(f64, u64)>,
    sum: f64,
}

impl ExternalHistogram {
    pub fn new(series: &Series, registry: &Registry) -> Self {
        let desc = Desc::new(series.name.into(), series.help.into(), Vec::new(), HashMap::new())
            .expect("the names in the table are valid");
        let histogram = ExternalHistogram { series: *series, desc, counts: Arc::default() };
        registry.register(Box::new(histogram.clone())).expect("each series is registered once");
        histogram
    }

    /// Replaces buckets and sum. `sum` is in seconds.
    pub fn set(&self, buckets: impl Iterator<Item = (f64, u64)>, sum: f64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.buckets.clear();
        counts.buckets.extend(buckets);
        counts.sum = sum;
    }
}

impl Collector for ExternalHistogram {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total = 0;
        let mut buckets = Vec::new();
        for (bound, count) in &counts.buckets {
            total += count;
            // The encoder makes the last bucket, +Inf, from the count.
            if bound.is_finite() {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(*bound);
                bucket.set_cumulative_count(total);
                buckets.push(bucket);
            }
        }
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_count(total);
        histogram.set_sample_sum(counts.sum);
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        let mut family = MetricFamily::default();
        family.set_name(self.series.name.to_owned());
        family.set_help(self.series.help.to_owned());
        family.set_field_type(MetricType::HISTOGRAM);
        family.set_metric(vec![metric]);
        vec![family]
    }
}
