// Between which scores which verdict is given, by model: told with every answer, and by the service when asked.

import * as api from "./api.js";

const known = new Map();

export function learn({ model_version: version, thresholds }) {
  if (version && thresholds) known.set(version, thresholds);
}

// Of an inspection; undefined where its model is no longer in use and nobody has told.
export const thresholdsOf = (event) => event.thresholds ?? known.get(event.model_version);

export async function ask() {
  learn(await api.model());
}
