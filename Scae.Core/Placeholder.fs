module internal Scae.Placeholder
