//! stand-in
use std::collections::HashMap;
fn next(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}
pub(super) fn vectors_of_baskets(baskets: &[Vec<u32>], products: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut counts: HashMap<(u32, u32), f32> = HashMap::new();
    for b in baskets {
        for x in b { for y in b { if x < y { *counts.entry((*x, *y)).or_default() += 1.0; } } }
    }
    let mut row = vec![0f64; products];
    for ((x, y), c) in &counts { row[*x as usize] += *c as f64; row[*y as usize] += *c as f64; }
    let total: f64 = row.iter().sum();
    let smooth: Vec<f64> = row.iter().map(|r| r.powf(0.75)).collect();
    let stotal: f64 = smooth.iter().sum();
    let mut m: Vec<Vec<(u32, f32)>> = vec![Vec::new(); products];
    for ((x, y), c) in &counts {
        let (a, b) = (*x as usize, *y as usize);
        let one = (*c as f64 / total / ((row[a] / total) * (smooth[b] / stotal))).ln().max(0.0);
        let two = (*c as f64 / total / ((row[b] / total) * (smooth[a] / stotal))).ln().max(0.0);
        let v = ((one + two) / 2.0) as f32;
        if v > 0.0 { m[a].push((*y, v)); m[b].push((*x, v)); }
    }
    m.iter_mut().for_each(|r| r.sort_by_key(|e| e.0));
    let k = dims + 10;
    let mut s = 7u64;
    let mut q: Vec<Vec<f32>> = (0..k).map(|_| (0..products).map(|_| next(&mut s)).collect()).collect();
    let mul = |v: &Vec<f32>| -> Vec<f32> { m.iter().map(|r| r.iter().map(|(c, w)| w * v[*c as usize]).sum()).collect() };
    let ortho = |q: &mut Vec<Vec<f32>>| {
        for i in 0..q.len() { for _ in 0..2 { for j in 0..i {
            let d: f32 = q[i].iter().zip(&q[j]).map(|(a, b)| a * b).sum();
            let (l, r) = q.split_at_mut(i);
            for (a, b) in r[0].iter_mut().zip(&l[j]) { *a -= d * b; } } }
            let n = q[i].iter().map(|a| a * a).sum::<f32>().sqrt().max(1e-12);
            q[i].iter_mut().for_each(|a| *a /= n); }
    };
    for _ in 0..8 { q = q.iter().map(mul).collect(); ortho(&mut q); }
    // Ritz by Jacobi
    let aq: Vec<Vec<f32>> = q.iter().map(mul).collect();
    let mut t: Vec<Vec<f64>> = (0..k).map(|i| (0..k).map(|j| q[i].iter().zip(&aq[j]).map(|(a, b)| (*a as f64) * (*b as f64)).sum()).collect()).collect();
    let mut v: Vec<Vec<f64>> = (0..k).map(|i| (0..k).map(|j| f64::from(i == j)).collect()).collect();
    for _ in 0..12 { for p in 0..k { for r in p + 1..k {
        if t[p][r].abs() < 1e-9 { continue; }
        let th = (t[r][r] - t[p][p]) / (2.0 * t[p][r]);
        let tt = th.signum() / (th.abs() + (th * th + 1.0).sqrt()); let c = 1.0 / (tt * tt + 1.0).sqrt(); let sn = tt * c;
        for i in 0..k { let (a, b) = (t[i][p], t[i][r]); t[i][p] = c * a - sn * b; t[i][r] = sn * a + c * b; }
        for i in 0..k { let (a, b) = (t[p][i], t[r][i]); t[p][i] = c * a - sn * b; t[r][i] = sn * a + c * b; }
        for i in 0..k { let (a, b) = (v[i][p], v[i][r]); v[i][p] = c * a - sn * b; v[i][r] = sn * a + c * b; }
    } } }
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|a, b| t[*b][*b].abs().total_cmp(&t[*a][*a].abs()));
    order.truncate(dims);
    (0..products).map(|p| order.iter().map(|e| {
        let x: f64 = (0..k).map(|i| q[i][p] as f64 * v[i][*e]).sum();
        (x * t[*e][*e].abs().sqrt()) as f32 }).collect()).collect()
}
