// Names: those of the tables as Node spells them, and those of a class's members.

export function camelCase(name) {
  return name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** An object with its names in camelCase. */
export function camelCased(object) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [camelCase(name), value]));
}

/** The descriptors of the members of a class by their names, with the ones that are kept behind its prototype. */
export function describedMembers(type) {
  const behind = Object.getPrototypeOf(type.prototype);
  const isOwn = behind !== Object.prototype && behind.constructor === Object;
  const members = { ...(isOwn && Object.getOwnPropertyDescriptors(behind)), ...Object.getOwnPropertyDescriptors(type.prototype) };
  delete members.constructor;
  return members;
}
