export type Planted = 'found';
