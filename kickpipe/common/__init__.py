"""What every room needs and none owns: files, progress, errors, and facts about the CPU."""
