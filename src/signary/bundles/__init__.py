"""A trained model as files: what is in a bundle, reading and writing it; and the bundles that come with the package."""
