"""Running the platform: database, set-up, web, worker, backup."""
