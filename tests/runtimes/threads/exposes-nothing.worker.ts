// Loads, and exposes nothing; in a browser it stays.
export {}
