// Package image opens container images from anywhere and reads every layer once.
package image
