"""The avatar that fingerspells: text to poses, to landmarks, to pictures."""
