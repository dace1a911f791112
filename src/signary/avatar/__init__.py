"""A hand that spells: text to poses, to landmarks, to pictures."""
