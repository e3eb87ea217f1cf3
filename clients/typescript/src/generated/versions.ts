// Code generated from openapi/*.yaml by scripts/generate.mjs. DO NOT EDIT.

/** The versions of the contracts that this package speaks. */
export const contractVersions = {
  muninx: '2.0.0',
  apitoken: '2.0.0',
  unleash: '2.0.0',
  service: '2.0.0',
} as const
