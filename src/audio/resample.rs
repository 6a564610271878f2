//! Resampling of any rate to 8,000 or 16,000 Hz in blocks, so that a long file at a high rate is never in
//! memory whole. Wraps `rubato`'s FFT resampler and hides its delay and block size.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// Mono samples in, mono samples out; the output is aligned with the input.
pub struct Resampler {
    /// `None` if the rates are equal (or impossible; the caller has checked them).
    fft: Option<Fft<f32>>,
    ratio: f64,
    pending: Vec<f32>,
    block: Vec<f32>,
    out: Vec<f32>,
    taken: u64,
    delay: usize,
}

impl Resampler {
    pub fn new(from_rate: u32, to_rate: u32) -> Self {
        let blocks_per_second = 20;
        let chunk = (from_rate / blocks_per_second).max(1) as usize;
        let fft = (from_rate != to_rate)
            .then(|| {
                Fft::new_custom(
                    from_rate as usize,
                    to_rate as usize,
                    chunk,
                    1,
                    1,
                    WindowFunction::BlackmanHarris2,
                    FixedSync::Both,
                )
                .ok()
            })
            .flatten();
        let (delay, block) = fft.as_ref().map_or((0, 0), |fft| (fft.output_delay(), fft.output_frames_max()));
        Resampler {
            fft,
            ratio: f64::from(to_rate) / f64::from(from_rate),
            pending: Vec::new(),
            block: vec![0.0; block],
            out: Vec::new(),
            taken: 0,
            delay,
        }
    }

    pub fn push(&mut self, samples: &[f32]) {
        self.taken += samples.len() as u64;
        if self.fft.is_none() {
            self.out.extend_from_slice(samples);
            return;
        }
        self.pending.extend_from_slice(samples);
        self.run();
    }

    /// Returns all output; its length is the input's, times the ratio.
    pub fn finish(mut self) -> Vec<f32> {
        if self.fft.is_none() {
            return self.out;
        }
        let wanted = (self.taken as f64 * self.ratio).round() as usize;
        let block = self.fft.as_ref().map_or(1, |fft| fft.input_frames_next());
        let mut rounds = 0;
        // Flush the filter with silence.
        while self.out.len() < wanted + self.delay && rounds < 8 {
            let missing = block - self.pending.len() % block;
            self.pending.extend(std::iter::repeat_n(0.0, missing));
            self.run();
            rounds += 1;
        }
        self.out.drain(..self.delay.min(self.out.len()));
        self.out.resize(wanted, 0.0);
        self.out
    }

    fn run(&mut self) {
        let Some(fft) = &mut self.fft else { return };
        let mut from = 0;
        loop {
            let needed = fft.input_frames_next();
            if self.pending.len() - from < needed {
                break;
            }
            let room = self.block.len();
            let done = {
                let Ok(input) = SequentialSlice::new(&self.pending[from..from + needed], 1, needed) else {
                    break;
                };
                let Ok(mut output) = SequentialSlice::new_mut(&mut self.block, 1, room) else { break };
                fft.process_into_buffer(&input, &mut output, None)
            };
            let Ok((used, made)) = done else { break };
            self.out.extend_from_slice(&self.block[..made]);
            from += used;
        }
        self.pending.drain(..from);
    }
}
