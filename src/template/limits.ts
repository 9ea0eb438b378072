/**
 * What one rendering may cost, so that no template runs for ever or fills the memory. A mail about ten thousand alerts has some ten
 * million characters and takes some 600,000 steps.
 */
export const maxTextLength = 32 * 1024 * 1024;

/** Nodes and commands of the template that are carried out. */
export const maxStepCount = 10_000_000;

/** Templates, blocks and parentheses within each other. */
export const maxDepth = 500;

export const tooLong = `text longer than ${maxTextLength} characters`;
