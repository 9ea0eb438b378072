export { dedupConfig, type DedupConfig } from './config.ts';
export { maskText, type MaskedText } from './mask.ts';
export { createSignature, estimateSimilarity, signatureLength } from './minhash.ts';
export { createDedupStage, type DedupStage } from './stage.ts';
export { TextGroups, type TextGroup } from './text-groups.ts';
