export { nextMoves, type FleetView, type Moves } from './share.ts';
export { Steward, type FleetDirectory, type Holding, type StewardOptions } from './steward.ts';
