export interface FixtureOptions {
  observations?: number;
  controls?: number;
  seed?: number;
  hostile?: boolean;
  /** Share of observations that fail; unknown and error come on top. */
  failing?: number;
  /** Adds a 1 MB string as a resource name. */
  huge?: boolean;
  whole?: boolean;
}
