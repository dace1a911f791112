/** Return the element of the page that has this id. @param {string} id */
export const element = (id) => /** @type {any} */ (document.getElementById(id));
