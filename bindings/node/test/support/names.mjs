// The names of the tables, as Node spells them.

export function camelCase(name) {
  return name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** An object with its names in camelCase. */
export function camelCased(object) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [camelCase(name), value]));
}
