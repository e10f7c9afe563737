"""The library of samples: crawling, keywords, preprocessing, the split and datasets."""
