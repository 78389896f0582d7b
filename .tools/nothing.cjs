/** Stands in for packages that the bundle never calls, or shall not: see build.ts. */
module.exports = () => () => {}
/** Of lru-cache, which keeps topic aliases: we use none. */
module.exports.LRUCache = class {
  clear() {}
}
