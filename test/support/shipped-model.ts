/** The trained model that ships with the program; tests of what it recognises follow it. */
export const SHIPPED_MODEL = 's3d-g-atfr';
