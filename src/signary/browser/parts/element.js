/** Return the element with this id. @param {string} id */
export const element = (id) => /** @type {any} */ (document.getElementById(id));
