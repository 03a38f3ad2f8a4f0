package dynamo

// MergePeople has lists of people merged, however few there are.
func (s *Store) MergePeople() { s.counted = 0 }
