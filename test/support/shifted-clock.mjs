// Loaded into a process before Tocsin: its clock is an hour fast until it gets SIGUSR2, as if somebody then had set it right.
const real = Date.now.bind(Date);
let shiftMs = 3_600_000;
Date.now = () => real() + shiftMs;
process.on('SIGUSR2', () => {
  shiftMs = 0;
});
