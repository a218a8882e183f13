//! Dot products of quantised vectors, as fast as the processor at hand allows.
//!
//! Whole numbers: every processor comes to the same. With AVX2, found at run time, 16 products are
//! made and added pairwise by one instruction (`vpmaddwd`), which the compiler does not find by
//! itself in a loop over rows; elsewhere it vectorises the plain loop as it can.

use pulp::{Arch, Simd, WithSimd};

use super::quantise::LANES;

/// Dot products of each of `queries` with each of `rows`; both are rows of `stride` values one
/// behind the other, `stride` a multiple of [`LANES`]. `out` has a place for each: those of the
/// first query first.
pub(super) struct Dots<'a> {
    pub(super) queries: &'a [i16],
    pub(super) rows: &'a [i8],
    pub(super) stride: usize,
    pub(super) out: &'a mut [i32],
}

impl Dots<'_> {
    pub(super) fn compute(self) {
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = pulp::x86::V3::try_new() {
            return Simd::vectorize(token, With { dots: self, lanes: avx2::Lanes(token) });
        }
        Arch::new().dispatch(With { dots: self, lanes: Portable });
    }

    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L) {
        let Self { queries, rows, stride, out } = self;
        let count = rows.len() / stride;
        if count == 0 {
            return;
        }
        let fours = queries.chunks_exact(4 * stride);
        let rest = fours.remainder();
        let (of_fours, of_rest) = out.split_at_mut(fours.len() * 4 * count);
        for (four, out) in fours.zip(of_fours.chunks_exact_mut(4 * count)) {
            by_four(lanes, four, rows, stride, out);
        }
        for (one, out) in rest.chunks_exact(stride).zip(of_rest.chunks_exact_mut(count)) {
            for (row, dot) in rows.chunks_exact(stride).zip(out) {
                *dot = by_one(lanes, one, row);
            }
        }
    }
}

/// Sums of products, 16 at a time.
trait Lanes: Copy {
    type Wide: Copy;
    type Sums: Copy;
    const ZERO: Self::Sums;
    fn widen(self, row: &[i8; 16]) -> Self::Wide;
    fn add_products(self, sums: Self::Sums, row: Self::Wide, query: &[i16; 16]) -> Self::Sums;
    fn total(self, sums: Self::Sums) -> i32;
}

/// What a function compiled for an instruction set inlines, so that it is compiled for it too.
struct With<'a, L> {
    dots: Dots<'a>,
    lanes: L,
}

impl<L: Lanes> WithSimd for With<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.dots.with(self.lanes);
    }
}

/// Two sums, so that one addition need not wait for the other.
#[inline(always)]
fn by_one<L: Lanes>(lanes: L, query: &[i16], row: &[i8]) -> i32 {
    let mut sums = [L::ZERO; 2];
    for (query, row) in query.as_chunks::<LANES>().0.iter().zip(row.as_chunks::<LANES>().0) {
        for (part, (query, row)) in query.as_chunks().0.iter().zip(row.as_chunks().0).enumerate() {
            sums[part] = lanes.add_products(sums[part], lanes.widen(row), query);
        }
    }
    lanes.total(sums[0]) + lanes.total(sums[1])
}

/// Four queries at once: a row is loaded and widened once for all of them.
#[inline(always)]
fn by_four<L: Lanes>(lanes: L, queries: &[i16], rows: &[i8], stride: usize, out: &mut [i32]) {
    let count = rows.len() / stride;
    let (a, rest) = queries.split_at(stride);
    let (b, rest) = rest.split_at(stride);
    let (c, d) = rest.split_at(stride);
    let (a, b, c, d) = (a.as_chunks().0, b.as_chunks().0, c.as_chunks().0, d.as_chunks().0);
    for (at, row) in rows.chunks_exact(stride).enumerate() {
        let mut sums = [L::ZERO; 4];
        for ((((row, a), b), c), d) in row.as_chunks().0.iter().zip(a).zip(b).zip(c).zip(d) {
            let row = lanes.widen(row);
            sums[0] = lanes.add_products(sums[0], row, a);
            sums[1] = lanes.add_products(sums[1], row, b);
            sums[2] = lanes.add_products(sums[2], row, c);
            sums[3] = lanes.add_products(sums[3], row, d);
        }
        for (query, sums) in sums.into_iter().enumerate() {
            out[query * count + at] = lanes.total(sums);
        }
    }
}

#[derive(Clone, Copy)]
struct Portable;

impl Lanes for Portable {
    type Wide = [i8; 16];
    type Sums = i32;
    const ZERO: i32 = 0;

    #[inline(always)]
    fn widen(self, row: &[i8; 16]) -> [i8; 16] {
        *row
    }

    #[inline(always)]
    fn add_products(self, sum: i32, row: [i8; 16], query: &[i16; 16]) -> i32 {
        let products =
            row.iter().zip(query).map(|(row, query)| i32::from(*row) * i32::from(*query));
        sum + products.sum::<i32>()
    }

    #[inline(always)]
    fn total(self, sum: i32) -> i32 {
        sum
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{__m128i, __m256i};

    use pulp::cast;
    use pulp::x86::V3;

    /// The token proves that the processor has the instructions.
    #[derive(Clone, Copy)]
    pub(super) struct Lanes(pub(super) V3);

    impl super::Lanes for Lanes {
        type Wide = __m256i;
        type Sums = __m256i;
        const ZERO: __m256i = cast([0i32; 8]);

        #[inline(always)]
        fn widen(self, row: &[i8; 16]) -> __m256i {
            self.0.avx2._mm256_cvtepi8_epi16(cast::<[i8; 16], __m128i>(*row))
        }

        #[inline(always)]
        fn add_products(self, sums: __m256i, row: __m256i, query: &[i16; 16]) -> __m256i {
            let products = self.0.avx2._mm256_madd_epi16(row, cast::<[i16; 16], __m256i>(*query));
            self.0.avx2._mm256_add_epi32(sums, products)
        }

        #[inline(always)]
        fn total(self, sums: __m256i) -> i32 {
            cast::<__m256i, [i32; 8]>(sums).iter().sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// With whatever this processor has, without, and in plain arithmetic.
        #[test]
        fn all_ways_come_to_the_same(
            blocks in 1usize..5,
            queries in prop::collection::vec(any::<i8>(), 1..10),
            rows in prop::collection::vec(any::<i8>(), 0..6),
        ) {
            let stride = blocks * LANES;
            let spread = |seed: i8, at: usize| i64::from(seed) * 31 + at as i64 * 17;
            let of = |seeds: &[i8]| -> Vec<i64> {
                seeds.iter().flat_map(|seed| (0..stride).map(|at| spread(*seed, at))).collect()
            };
            let queries: Vec<i16> = of(&queries).iter().map(|v| (v % 16_000) as i16).collect();
            let rows: Vec<i8> = of(&rows).iter().map(|v| (v % 128) as i8).collect();
            let mut wanted: Vec<i32> = Vec::new();
            for query in queries.chunks_exact(stride) {
                for row in rows.chunks_exact(stride) {
                    wanted.push(query.iter().zip(row).map(|(q, r)| i32::from(*q) * i32::from(*r)).sum());
                }
            }
            let mut out = vec![0; wanted.len()];
            Dots { queries: &queries, rows: &rows, stride, out: &mut out }.compute();
            prop_assert_eq!(&out, &wanted);
            out.fill(0);
            Dots { queries: &queries, rows: &rows, stride, out: &mut out }.with(Portable);
            prop_assert_eq!(&out, &wanted);
        }
    }
}
